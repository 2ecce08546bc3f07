import type { ConsulApi } from "../../../rollout/consul-api";
import { Unreachable } from "../../../rollout/consul-api";
import { gossip, plannedKeyChange } from "../../../rollout/reconcile/gossip";
import { Simulation } from "../simulation";

const NEW = "bmV3IGtleSBuZXcga2V5IG5ldyBrZXkgbmV3IGtleSE=";
const OLD = "b2xkIGtleSBvbGQga2V5IG9sZCBrZXkgb2xkIGtleSE=";

/** A cluster's agents, each with its keys, the primary one first. */
class SimulatedKeyrings {
  readonly simulation = new Simulation();
  readonly log: string[] = [];
  readonly changes: string[] = [];
  /** What is answered to a list of keys instead. */
  exception: { status: number; body: string } | "none" | undefined;

  constructor(
    readonly agents: string[][],
    readonly servers = 3,
  ) {}

  readonly api: ConsulApi = {
    send: ({ method, path, body }) =>
      this.simulation.moment(() => {
        if (method !== "GET") {
          const { Key } = body as { Key: string };
          this.changes.push(`${method} ${Key === NEW ? "new" : "old"}`);
          this.change(method, Key);
          return { status: 200, body: "" };
        }
        if (this.exception === "none") throw new Unreachable("its API gave no answer within 5 s");
        const agents = path.endsWith("?local-only=true") ? this.agents.slice(0, this.servers) : this.agents;
        return this.exception ?? { status: 200, body: JSON.stringify([keyringOf(agents)]) };
      }),
  };

  private change(method: string, key: string): void {
    for (const keys of this.agents) {
      if (method === "POST" && !keys.includes(key)) keys.push(key);
      if (method === "PUT") keys.sort((a, b) => Number(b === key) - Number(a === key));
      if (method === "DELETE" && keys[0] !== key) keys.splice(keys.indexOf(key), 1);
    }
  }

  async run(key: string | undefined = NEW) {
    const { simulation, api, log } = this;
    const outcome = await simulation.until(
      gossip({ seconds: 60 }, key, api, simulation.clock, (line) => log.push(line)),
    );
    return { outcome, seconds: simulation.seconds, log };
  }
}

function keyringOf(agents: readonly string[][]) {
  const Keys: Record<string, number> = {};
  const PrimaryKeys: Record<string, number> = {};
  for (const keys of agents) {
    for (const key of keys) Keys[key] = (Keys[key] ?? 0) + 1;
    const [primary = ""] = keys;
    PrimaryKeys[primary] = (PrimaryKeys[primary] ?? 0) + 1;
  }
  return { NumNodes: agents.length, Keys, PrimaryKeys };
}

test("a new key is installed in all agents, then used, then it is the only one", async () => {
  const cluster = new SimulatedKeyrings([[OLD], [OLD], [OLD], [OLD]]);
  expect(await cluster.run()).toEqual({
    outcome: { kind: "allow", reason: "all agents use one key" },
    seconds: 3,
    log: ["gossip: installing the new key", "gossip: using the new key", "gossip: removing the old key"],
  });
  expect(cluster.changes).toEqual(["POST new", "PUT new", "DELETE old"]);
  expect(cluster.agents).toEqual([[NEW], [NEW], [NEW], [NEW]]);
});

test("servers that have one key alone need no change, whatever client agents have: encryption is being turned on", async () => {
  const cluster = new SimulatedKeyrings([[NEW], [NEW], [NEW], []]);
  expect(await cluster.run()).toEqual({
    outcome: { kind: "allow", reason: "the servers use one key" },
    seconds: 0,
    log: [],
  });
  expect(cluster.changes).toEqual([]);
});

test("the old key stays until the last agent uses the new one", async () => {
  const cluster = new SimulatedKeyrings([
    [NEW, OLD],
    [OLD, NEW],
    [NEW, OLD],
  ]);
  await cluster.run();
  expect(cluster.changes).toEqual(["PUT new", "DELETE old"]);
});

test("another server is asked if this one's key cannot be read", async () => {
  const cluster = new SimulatedKeyrings([[OLD]]);
  const outcome = await gossip({ seconds: 60 }, undefined, cluster.api, cluster.simulation.clock, () => undefined);
  expect(outcome).toEqual({ kind: "unknown", reason: "this server's gossip key could not be read" });
});

describe("it fails if the keys are not listed in time", () => {
  test.each([
    [{ status: 500, body: "No cluster\nleader" }, "500: No cluster leader"],
    [{ status: 200, body: "<html>" }, "its answer is no list of keyrings"],
    [{ status: 200, body: "{}" }, "its answer is no list of keyrings"],
    [{ status: 200, body: "[]" }, "its answer is no list of keyrings"],
    ["none", "its API gave no answer within 5 s"],
  ] as const)("%j", async (exception, reason) => {
    const cluster = new SimulatedKeyrings([[OLD]]);
    cluster.exception = exception;
    expect(await cluster.run()).toEqual({
      outcome: {
        kind: "deny",
        reason: `not changed after 60 s: this server does not list the keys: ${reason}`,
        hint: "bring back an agent that is unreachable, or remove it from the members",
      },
      seconds: 60,
      log: [`gossip: this server does not list the keys: ${reason}`],
    });
    expect(cluster.changes).toEqual([]);
  });

  test("a key in the reason is not printed", async () => {
    const cluster = new SimulatedKeyrings([[OLD]]);
    cluster.exception = { status: 500, body: `cannot list ${OLD} of s1` };
    const { log } = await cluster.run();
    expect(log).toEqual(["gossip: this server does not list the keys: 500: cannot list (a key) of s1"]);
  });
});

describe("the next change", () => {
  const ring = (Keys: Record<string, number> | null, PrimaryKeys?: Record<string, number> | null, NumNodes = 2) => ({
    NumNodes,
    Keys,
    PrimaryKeys,
  });
  test.each([
    ["a pool without any key", [ring(null)], { method: "POST", key: "k" }],
    ["another pool where an agent lacks it", [ring({ k: 2 }), ring({ k: 1 })], { method: "POST", key: "k" }],
    [
      "another pool where an agent does not use it",
      [ring({ k: 2 }), ring({ k: 2 }, { j: 1, k: 1 })],
      { method: "PUT", key: "k" },
    ],
    ["a pool where none uses it", [ring({ k: 2, j: 2 }, { j: 2 })], { method: "PUT", key: "k" }],
    ["another key", [ring({ k: 2 }, { k: 2 }), ring({ k: 2, j: 1 }, null)], { method: "DELETE", key: "j" }],
    ["one key that all have, where agents do not report what they use", [ring({ k: 2 }), ring({ k: 2 }, null)], "done"],
    ["a pool without agents", [ring(null, null, 0), ring({ k: 2 })], "done"],
    ["no pool", [], undefined],
    ["a pool of an unknown size", [{ Keys: { k: 2 } }], undefined],
    ["what is no pool", [null], undefined],
  ])("of %s", (_, keyrings, change) => {
    expect(plannedKeyChange(keyrings as Parameters<typeof plannedKeyChange>[0], "k")).toEqual(change);
  });
});
