import { confirmedStale } from "../../../ops/fix/stale-locks";
import type { LockEntry } from "../../../ops/inspect/locks";
import { FOUR_HOSTS, load } from "../../cluster-files";
import { STOPPED, surveyOf } from "../status/surveys";

const cluster = load(FOUR_HOSTS);
const lock = (index: number, owner = "s2") => ({
  key: "consul-cdktf/replacing",
  value: Buffer.from(owner).toString("base64"),
  index,
});
const suspect = (index: number): LockEntry => ({ key: "consul-cdktf/replacing", owner: "s2", index });
const second = (index: number, s2 = {}) =>
  surveyOf(cluster, { agents: { s1: { says: { locks: [lock(index)] } }, s2 } });

test("a lock that is unchanged, and whose owner is ready again, is stale, and can be released", () => {
  const [problem, ...others] = confirmedStale([suspect(7)], second(7), cluster.agents);
  expect(others).toEqual([]);
  expect(problem).toMatchObject({
    code: "stale-lock",
    location: { host: "s2", agent: "s2" },
    message: "consul-cdktf/replacing is still held for it, and s2 is ready",
    fix: "release-lock",
    lock: suspect(7),
  });
});
test("a lock that was acquired again in the meantime is not stale", () =>
  expect(confirmedStale([suspect(7)], second(9), cluster.agents)).toEqual([]));
test("a lock whose owner has stopped in the meantime is not stale", () =>
  expect(confirmedStale([suspect(7)], second(7, STOPPED), cluster.agents)).toEqual([]));
test("a lock that the first inspection did not suspect is not stale", () =>
  expect(confirmedStale([], second(7), cluster.agents)).toEqual([]));
