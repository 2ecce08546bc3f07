import { purgeStaleCatalog } from "../../../ops/backups/stale-catalog";
import { type ConsulAnswer, type ConsulApi, type ConsulRequest, Unreachable } from "../../../rollout/consul-api";
import { Simulation } from "../../rollout/simulation";

interface Node {
  readonly name: string;
  readonly id: string;
  /** Whether it is an agent's. */
  readonly isAgent?: boolean;
}
interface Member {
  readonly name: string;
  readonly id: string;
  readonly status?: number;
}
type Operation = { readonly Node: { readonly Verb: string; readonly Node: { Node: string; ModifyIndex: number } } };

const json = (value: unknown): ConsulAnswer => ({ status: 200, body: JSON.stringify(value) });
const own = (...names: string[]) => names.map((name) => ({ name, id: `id-${name}` }));

/** A cluster after a restore: its members, and the snapshot's catalog and sessions. A new leader registers its members. */
class RestoredCluster {
  readonly simulation = new Simulation();
  readonly requests: string[] = [];
  readonly authorities = new Set<unknown>();
  readonly removed: Operation[][] = [];
  readonly log: string[] = [];
  sessions: readonly string[] = [];
  leader = "10.0.0.1:8300";
  /** Requests that are answered by a status, or not at all, until a moment. */
  readonly exceptions: { readonly form: RegExp; readonly status: number; readonly seconds: number }[] = [];

  constructor(
    private nodes: readonly Node[],
    private readonly members: readonly Member[],
  ) {}

  async purge(seconds = 10) {
    const api: ConsulApi = { send: (request) => this.simulation.moment(() => this.answer(request)) };
    const log = (line: string) => this.log.push(line);
    return this.simulation.until(purgeStaleCatalog(api, seconds, this.simulation.clock, log));
  }

  private answer({ method, path, body, authority }: ConsulRequest): ConsulAnswer {
    const line = `${method} ${path}`;
    if (!path.startsWith("/v1/status/")) this.authorities.add(authority);
    if (method !== "GET") this.requests.push(line);
    const exception = this.exceptions.find(({ form, seconds }) => form.test(line) && this.simulation.seconds < seconds);
    if (exception?.status === 0) throw new Unreachable("no answer");
    if (exception) return { status: exception.status, body: "refused" };
    if (path === "/v1/status/leader") return json(this.leader);
    if (path === "/v1/session/list") return json(this.sessions.map((ID) => ({ ID })));
    if (path === "/v1/agent/members")
      return json(this.members.map(({ name: Name, id, status: Status = 1 }) => ({ Name, Status, Tags: { id } })));
    if (path === "/v1/catalog/nodes")
      return json(this.nodes.map(({ name: Node, id: ID }) => ({ Node, ID, ModifyIndex: 7 })));
    if (path === "/v1/health/state/any?filter=CheckID%3D%3D%22serfHealth%22")
      return json(this.nodes.filter(({ isAgent = true }) => isAgent).map(({ name: Node }) => ({ Node })));
    if (path === "/v1/txn") this.removed.push(body as Operation[]);
    if (path === "/v1/txn") this.nodes = this.nodes.filter(({ name }) => !namesOf(body as Operation[]).includes(name));
    if (path === "/v1/operator/raft/transfer-leader") this.newLeader();
    return json(true);
  }

  private newLeader(): void {
    this.leader = "10.0.0.2:8300";
    const missing = this.members.filter(({ name }) => !this.nodes.some((node) => node.name === name));
    this.nodes = [...this.nodes, ...missing];
  }
}
const namesOf = (operations: readonly Operation[]) => operations.map(({ Node }) => Node.Node.Node);

const RELEASES = ["DELETE /v1/kv/consul-cdktf/?recurse"];
const TRANSFER = "POST /v1/operator/raft/transfer-leader";

test("on the same cluster nothing is removed but locks and sessions, by the management token", async () => {
  const cluster = new RestoredCluster(own("s1", "c1"), own("s1", "c1"));
  cluster.sessions = ["a", "b"];
  expect(await cluster.purge()).toBeUndefined();
  expect(cluster.requests).toEqual([...RELEASES, "PUT /v1/session/destroy/a", "PUT /v1/session/destroy/b"]);
  expect([[...cluster.authorities], cluster.log]).toEqual([
    ["management"],
    ["every agent is in the catalog by its own ID"],
  ]);
});

test("nodes with another agent's ID are removed as they were seen, so that the agents of their names can register", async () => {
  const others = [{ name: "S1", id: "theirs" }, { name: "c1", id: "theirs" }, ...own("s2")];
  const cluster = new RestoredCluster(others, own("s1", "s2", "c1"));
  expect(await cluster.purge()).toBeUndefined();
  expect(cluster.removed).toEqual([
    ["S1", "c1"].map((Node) => ({ Node: { Verb: "delete-cas", Node: { Node, ModifyIndex: 7 } } })),
  ]);
  expect(cluster.log).toEqual([
    "catalog: removing nodes of agents that are not this cluster's",
    "catalog: waiting until the leader has registered c1, s1",
    "every agent is in the catalog by its own ID",
  ]);
});

test("nodes of agents that are no members are removed; nodes that are no agents stay", async () => {
  const database = { name: "database", id: "x", isAgent: false };
  const cluster = new RestoredCluster([...own("s1", "gone"), database], own("s1"));
  expect(await cluster.purge()).toBeUndefined();
  expect(cluster.removed.map(namesOf)).toEqual([["gone"]]);
});

test("a thousand nodes are removed in transactions that Consul accepts, without a pause", async () => {
  const cluster = new RestoredCluster(own(...Array.from({ length: 1000 }, (_, at) => `c${at}`)), []);
  expect(await cluster.purge()).toBeUndefined();
  expect(cluster.removed.map(({ length }) => length)).toEqual([...Array<number>(15).fill(64), 40]);
  expect(cluster.simulation.seconds).toBe(0);
});

test("nodes that the leader registers meanwhile are read again after a second", async () => {
  const cluster = new RestoredCluster(own("s1", "gone"), own("s1"));
  cluster.exceptions.push({ form: /txn/, status: 409, seconds: 0.5 });
  expect([await cluster.purge(), cluster.simulation.seconds]).toEqual([undefined, 1]);
});

test("leadership is transferred once, because a new leader registers every agent at once", async () => {
  const cluster = new RestoredCluster(own("s1"), own("s1", "s2"));
  expect(await cluster.purge()).toBeUndefined();
  expect(cluster.requests).toEqual([...RELEASES, TRANSFER]);
  const alone = new RestoredCluster([], own("s1"));
  alone.exceptions.push({ form: /transfer-leader/, status: 500, seconds: 60 });
  expect(await alone.purge()).toBe("not done after 10 s: waiting until the leader has registered s1");
  expect(alone.requests).toEqual([...RELEASES, TRANSFER]);
});

test("an agent that is down is not waited for", async () => {
  const cluster = new RestoredCluster(own("s1"), [...own("s1"), { name: "c1", id: "id-c1", status: 4 }]);
  expect([await cluster.purge(), cluster.removed]).toEqual([undefined, []]);
});

test("the reason names five agents at most", async () => {
  const cluster = new RestoredCluster([], own("s6", "s5", "s4", "s3", "s2", "s1"));
  cluster.exceptions.push({ form: /transfer-leader/, status: 500, seconds: 60 });
  expect(await cluster.purge()).toBe("not done after 10 s: waiting until the leader has registered s1, s2, s3, s4, s5");
});

describe("locks and sessions are released once, when the cluster can do it:", () => {
  test.each([
    ["sessions are not listed", /session\/list/],
    ["keys are not deleted", /DELETE/],
  ])("%s", async (_, form) => {
    const cluster = new RestoredCluster(own("s1", "gone"), own("s1"));
    cluster.sessions = ["a"];
    cluster.exceptions.push({ form, status: 500, seconds: 2 });
    expect(await cluster.purge()).toBeUndefined();
    expect(cluster.log[0]).toBe("catalog: waiting for a leader");
    expect(cluster.requests.filter((line) => line.includes("session"))).toEqual(["PUT /v1/session/destroy/a"]);
    expect(cluster.simulation.seconds).toBe(2);
  });
});

test.each([/members/, /nodes/, /health/])("without an answer to %s nothing is removed", async (form) => {
  const cluster = new RestoredCluster(own("s1", "gone"), own("s1"));
  cluster.exceptions.push({ form, status: 0, seconds: 60 });
  expect(await cluster.purge()).toBe("not done after 10 s: this server does not list the members");
  expect(cluster.removed).toEqual([]);
});
