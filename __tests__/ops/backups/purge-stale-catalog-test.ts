import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder, PROJECT } from "../../cluster-files";

const SCRIPT = readFileSync(join(PROJECT, "ops/backups/purge-stale-catalog.sh"), "utf8");

interface Node {
  readonly name: string;
  readonly id: string;
  /** Whether it is an agent's. */
  readonly serf?: boolean;
}
interface State {
  readonly nodes: readonly Node[];
  readonly members: readonly { readonly name: string; readonly id: string; readonly status?: number }[];
  readonly sessions?: readonly string[];
}

/**
 * Runs purge-stale-catalog.sh with the answers of Consul's API in the place of asking for them.
 * @param before as it is restored
 * @param after as it is when nodes have been removed and a new leader has registered the rest
 */
function restored(before: State, after: State = before, seconds = 2) {
  const place = folder();
  const log = join(place, "calls");
  writeFileSync(log, "");
  for (const [name, { nodes, members, sessions = [] }] of Object.entries({ before, after })) {
    mkdirSync(join(place, name));
    const write = (file: string, value: unknown) => writeFileSync(join(place, name, file), JSON.stringify(value));
    write(
      "nodes",
      nodes.map(({ name: Node, id: ID }) => ({ Node, ID, ModifyIndex: 7 })),
    );
    write(
      "checks",
      nodes.filter(({ serf = true }) => serf).map(({ name: Node }) => ({ Node, CheckID: "serfHealth" })),
    );
    write(
      "members",
      members.map(({ name: Name, id, status: Status = 1 }) => ({ Name, Status, Tags: { id } })),
    );
    write(
      "sessions",
      sessions.map((ID) => ({ ID })),
    );
  }
  const stub = `
state=${place}/before
managed() {
  path=$1
  shift
  case $path in
  /v1/agent/members) cat "$state/members" ;;
  /v1/catalog/nodes) cat "$state/nodes" ;;
  /v1/health/state/any*) cat "$state/checks" ;;
  /v1/session/list) cat "$state/sessions" ;;
  /v1/txn) echo "txn $(cat)" >>${log} ;;
  *) echo "$* $path" >>${log} ;;
  esac
  case $path in */transfer-leader) state=${place}/after ;; esac
}
value() { jq -r "$@" 2>/dev/null; }
now() { date +%s; }
logged=''
log() { [ "$1" = "$logged" ] || echo "$1"; logged=$1; }
`;
  const { status, stdout, stderr } = spawnSync("sh", ["-c", `${stub}\n${SCRIPT}`, "sh", String(seconds)], {
    encoding: "utf8",
    timeout: 60_000,
  });
  const calls = readFileSync(log, "utf8").split("\n").filter(Boolean);
  const removed = calls
    .filter((call) => call.startsWith("txn "))
    .map((call) =>
      JSON.parse(call.slice(4)).map(
        (one: { Node: { Verb: string; Node: { Node: string; ModifyIndex: number } } }) => one.Node,
      ),
    );
  return { status, stdout, stderr, calls: calls.filter((call) => !call.startsWith("txn ")), removed };
}

// A machine may be busy.
jest.setTimeout(60_000);

const own = (...names: string[]) => names.map((name) => ({ name, id: `id-${name}` }));

test("on the same cluster nothing is removed but locks and sessions", () => {
  const state = { nodes: own("s1", "c1"), members: own("s1", "c1"), sessions: ["a", "b"] };
  expect(restored(state)).toMatchObject({
    status: 0,
    removed: [],
    calls: [
      "-f -X DELETE /v1/kv/consul-cdktf/?recurse",
      "-f -X PUT /v1/session/destroy/a",
      "-f -X PUT /v1/session/destroy/b",
    ],
  });
});

test("nodes with another agent's ID go, so that the agents of their names can register themselves; only as they were when they were seen", () => {
  const others = [{ name: "S1", id: "theirs" }, { name: "c1", id: "theirs" }, ...own("s2")];
  const { removed, status, stdout } = restored(
    { nodes: others, members: own("s1", "s2", "c1") },
    { nodes: own("s1", "s2", "c1"), members: own("s1", "s2", "c1") },
  );
  expect(removed[0]).toEqual([
    { Verb: "delete-cas", Node: { Node: "S1", ModifyIndex: 7 } },
    { Verb: "delete-cas", Node: { Node: "c1", ModifyIndex: 7 } },
  ]);
  // The stand-in removes nothing: the same is asked again until time is up.
  expect([status, stdout]).toEqual([
    3,
    expect.stringContaining("removing nodes of agents that are not this cluster's"),
  ]);
});

test("nodes of agents that are no members go; nodes that are no agents stay", () => {
  const { removed } = restored({
    nodes: [...own("s1", "gone"), { name: "database", id: "x", serf: false }],
    members: own("s1"),
  });
  expect(removed[0]).toEqual([{ Verb: "delete-cas", Node: { Node: "gone", ModifyIndex: 7 } }]);
});

test("a thousand nodes go in transactions that Consul takes", () => {
  const nodes = Array.from({ length: 1000 }, (_, number) => ({
    name: `c${number}`,
    id: `00000000-0000-0000-0000-${String(number).padStart(12, "0")}`,
  }));
  expect(restored({ nodes, members: own("s1") }).removed[0]).toHaveLength(64);
});

test("it waits until every agent is registered, which a new leader does at once", () => {
  const members = own("s1", "s2");
  const { status, stdout, calls } = restored({ nodes: own("s1"), members }, { nodes: own("s1", "s2"), members }, 30);
  expect([status, stdout]).toEqual([
    0,
    "waiting until the leader has registered s2\nevery agent is in the catalog by its own ID\n",
  ]);
  expect(calls.filter((call) => call.includes("transfer-leader"))).toEqual([
    "-X POST /v1/operator/raft/transfer-leader",
  ]);
});

test("one that is down is not waited for", () => {
  expect(restored({ nodes: own("s1"), members: [...own("s1"), { name: "c1", id: "id-c1", status: 4 }] })).toMatchObject(
    { status: 0, removed: [] },
  );
});

test("when time is up it says for whom it waited", () => {
  expect(restored({ nodes: own("s1"), members: own("s1", "s2") })).toMatchObject({
    status: 3,
    stderr: expect.stringContaining("waiting until the leader has registered s2"),
  });
});
