import { adaptiveTimeoutFor } from "../../../ops/docker/hosts";

test.each([
  ["a quiet machine", 0.01, 3],
  ["one with something to do", 0.02, 3],
  ["a busy one", 0.07, 11],
  ["one that does not get to anything", 1, 18],
])("%s", (_, start, seconds) => expect(adaptiveTimeoutFor(start)).toBe(seconds));
