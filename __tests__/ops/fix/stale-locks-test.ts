import { confirmedStale, deleteLock } from "../../../ops/fix/stale-locks";
import type { LockEntry } from "../../../ops/inspect/locks";
import { type ConsulAnswer, type ConsulRequest, Unreachable } from "../../../rollout/consul-api";
import { FOUR_HOSTS, load } from "../../cluster-files";
import { kvEntry } from "../../rollout/answers";
import { STOPPED, surveyOf } from "../status/surveys";

const cluster = load(FOUR_HOSTS);
const suspect = (index: number): LockEntry => ({ key: "consul-cdktf/replacing", owner: "s2", index });
const second = (index: number, s2 = {}) =>
  surveyOf(cluster, { agents: { s1: { says: { locks: [kvEntry("consul-cdktf/replacing", "s2", index)] } }, s2 } });

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

describe("a lock is deleted only as it was found:", () => {
  async function deleted(answer: Partial<ConsulAnswer> | undefined) {
    const sent: ConsulRequest[] = [];
    const send = async (request: ConsulRequest): Promise<ConsulAnswer> => {
      sent.push(request);
      if (!answer) throw new Unreachable("no answer within 10 s");
      return { status: 200, body: "", ...answer };
    };
    return { reason: await deleteLock({ send }, suspect(7)), sent };
  }

  test("by its index", async () => {
    const { reason, sent } = await deleted({ body: "true\n" });
    expect(reason).toBeUndefined();
    expect(sent).toEqual([{ method: "DELETE", path: "/v1/kv/consul-cdktf/replacing?cas=7", waitSeconds: 5 }]);
  });
  test.each([
    ["it has been acquired again", { body: "false" }],
    ["403: Permission denied", { status: 403, body: "Permission denied" }],
    ["no answer within 10 s", undefined],
  ])("otherwise the reason is given: %s", async (why, answer) => expect((await deleted(answer)).reason).toBe(why));
});
