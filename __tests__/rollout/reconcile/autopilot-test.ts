import { autopilot } from "../../../rollout/reconcile/autopilot";
import { SimulatedObjects } from "./simulated-objects";

const SETTINGS = { MinQuorum: 3 };
const run = (cluster: SimulatedObjects, settings: Record<string, unknown> = SETTINGS) =>
  cluster.run((api, clock, log) => autopilot({ settings, seconds: 60 }, api, clock, log));

test("settings are written; those that are not named stay", async () => {
  const cluster = new SimulatedObjects();
  expect(await run(cluster)).toEqual({
    outcome: { kind: "allow", reason: '{"MinQuorum":3}' },
    seconds: 0,
    log: [],
  });
  expect(cluster.autopilot).toEqual({ CleanupDeadServers: true, MinQuorum: 3, CreateIndex: 5, ModifyIndex: 8 });
});

test("settings that somebody else writes at the same time are not lost", async () => {
  const cluster = new SimulatedObjects();
  cluster.exceptions.set(/^PUT/, { status: 200, body: "false" });
  cluster.simulation.at(2, () => {
    cluster.autopilot = { CleanupDeadServers: false, MinQuorum: 0, ModifyIndex: 9 };
    cluster.exceptions.clear();
  });
  expect(await run(cluster)).toMatchObject({
    outcome: { kind: "allow" },
    log: ["autopilot: not accepted yet: false"],
  });
  expect(cluster.autopilot).toMatchObject({ CleanupDeadServers: false, MinQuorum: 3 });
});

test.each([
  [{ status: 403, body: "Permission denied" }, "403: Permission denied"],
  ["none", "its API gave no answer within 5 s"],
] as const)("settings that are never accepted fail: %j", async (exception, reason) => {
  const cluster = new SimulatedObjects();
  cluster.exceptions.set(/^PUT/, exception);
  expect(await run(cluster)).toMatchObject({
    outcome: { kind: "deny", reason: `not set after 60 s: not accepted yet: ${reason}` },
    seconds: 60,
  });
});

describe("another server is asked if this one", () => {
  test.each([
    ["knows no leader", { hasLeader: false }],
    ["has no settings", { exceptions: new Map([[/^GET/, { status: 200, body: "null" }]]) }],
    ["has settings without an index", { autopilot: { MinQuorum: 3 } }],
  ])("%s for 8 s", async (_, difference) => {
    const cluster = Object.assign(new SimulatedObjects(), difference);
    expect(await run(cluster)).toEqual({
      outcome: { kind: "unknown", reason: "waiting for a leader" },
      seconds: 8,
      log: ["autopilot: waiting for a leader"],
    });
    expect(cluster.changes).toEqual([]);
  });
});
