import { glanceSeconds } from "../../../ops/agents/hosts";

test.each([
  ["a quiet machine", 0.1, 3],
  ["one with something to do", 2, 3],
  ["a busy one", 7.5, 11],
  ["one that does not get to anything", 100, 18],
])("%s", (_, load, seconds) => expect(glanceSeconds(load)).toBe(seconds));
