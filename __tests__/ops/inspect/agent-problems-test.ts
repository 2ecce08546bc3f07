import { createHash } from "node:crypto";
import type { ProblemCode } from "../../../cluster/catalogue";
import { failureIn } from "../../../consul/agent-failures";
import type { Container } from "../../../ops/docker/container";
import { agentProblems, changedFiles } from "../../../ops/inspect/agent-problems";
import { type InspectedAgent, notReady } from "../../../ops/inspect/inspected-agent";
import { whyStale } from "../../../ops/inspect/locks";
import type { AgentProbe } from "../../../ops/inspect/probe";
import type { StateResource } from "../../../ops/terraform/state";
import type { ContainerReport } from "../../../rollout/container-report";
import { load } from "../../cluster-files";
import { member, raftServer } from "../../rollout/answers";

const cluster = load(`name: c
security: off
daemon: ssh://root@{address}
hosts: { s1: 10.0.0.1, s2: 10.0.0.2, s3: 10.0.0.3, c1: 10.0.0.4 }
servers: [s1, s2, s3]
clients: [c1]
`);
const agent = (name: string) => cluster.agents.find((each) => each.name === name) as (typeof cluster.agents)[number];
const CONTENT = "{}\n";
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

const resource = (parts: Partial<StateResource> = {}, attributes: object = {}): StateResource => ({
  address: "docker_container.s1",
  mode: "managed",
  type: "docker_container",
  name: "s1",
  tainted: false,
  deposed: false,
  attributes: {
    ...{ id: "1", restart: "always", image: "consul", network_mode: "host", command: ["agent", "-server"] },
    ...{ labels: [{ label: "owner", value: "me" }], env: ["TOKEN=secret"] },
    upload: [{ file: "/consul/config/agent.json", content: CONTENT }],
    ...attributes,
  },
  ...parts,
});

function container(
  parts: { id?: string; status?: string; restart?: string; ours?: boolean; volume?: string } = {},
): Container {
  const status = parts.status ?? "running";
  return {
    Id: parts.id ?? "1",
    Image: "sha256:1",
    Name: "/s1",
    RestartCount: 0,
    State: { Status: status, Running: status === "running", ExitCode: 1, Error: "", StartedAt: "2026-01-01T00:00:00Z" },
    Config: {
      Image: "consul",
      Hostname: "s1",
      Cmd: ["agent"],
      Entrypoint: null,
      Env: null,
      Labels: null,
      Healthcheck: parts.ours === false ? undefined : { Test: ["CMD", "/bin/sh", "/consul/health.sh"] },
    },
    HostConfig: { NetworkMode: "host", RestartPolicy: { Name: parts.restart ?? "always" } },
    Mounts: parts.volume ? [{ Type: "volume", Name: parts.volume, Source: "/x", Destination: "/consul/data" }] : [],
  };
}

const voters = (...names: string[]) => names.map((node) => raftServer(node, `${node}:8300`));
const SETTINGS = {
  node: "s1",
  datacenter: "dc1",
  server: true,
  address: "10.0.0.1",
  gossipPort: 8301,
  dataFolder: "/consul/data",
  leavesOnTerm: false,
  gossipEncrypted: false,
};
const view = (parts: Partial<AgentProbe> = {}): AgentProbe => ({
  version: "1.22.2",
  id: "id-s1",
  settings: SETTINGS,
  members: ["s1", "s2", "s3", "c1"].map((name) => member(name)),
  leader: "10.0.0.1:8300",
  servers: voters("s1", "s2", "s3"),
  files: new Map([["/consul/config/agent.json", sha256(CONTENT)]]),
  ...parts,
});

/** An agent without a problem. */
const healthy = (parts: Partial<InspectedAgent> = {}): InspectedAgent => ({
  agent: agent("s1"),
  resource: resource(),
  container: container(),
  view: view(),
  ...parts,
});
const found = (inspected: InspectedAgent) =>
  agentProblems(inspected).map(({ code, message, fix }) => [code, message, fix]);

test("an agent that is as it was deployed, and ready, has no problem", () => expect(found(healthy())).toEqual([]));

describe("the problems of an agent, and their fixes", () => {
  test.each<[string, Partial<InspectedAgent>, [ProblemCode, string, string | undefined][]]>([
    [
      "never deployed",
      { container: undefined, resource: undefined },
      [["container-missing", "it has no container s1", undefined]],
    ],
    [
      "removed by hand",
      { container: undefined },
      [["container-missing", "the Terraform state has its container s1, and its host does not", undefined]],
    ],
    [
      "left behind by a deploy that was killed",
      { resource: undefined },
      [
        [
          "container-unrecorded",
          "its container s1 is not in the Terraform state: a deploy was killed before it recorded it",
          "recreate",
        ],
      ],
    ],
    [
      "recreated by hand",
      { container: container({ id: "2", volume: "s1-data" }) },
      [
        [
          "container-unmanaged",
          "its container s1 is not in the Terraform state: it was created by hand, with another command, label owner, variable TOKEN",
          "recreate",
        ],
      ],
    ],
    [
      "another one's, with its name",
      { resource: undefined, container: container({ ours: false, volume: "other" }) },
      [
        [
          "container-foreign",
          "its container s1 is not in the Terraform state, and its data is not in s1-data",
          undefined,
        ],
      ],
    ],
    [
      "stopped",
      { container: container({ status: "exited" }), view: "-" },
      [["container-stopped", "its container has exited", "start"]],
    ],
    [
      "created and never started",
      { container: container({ status: "created" }), view: "-" },
      [["container-stopped", "its container is created, but has never run", "start"]],
    ],
    [
      "dead, because the daemon failed to remove it",
      { container: container({ status: "dead" }), view: "-" },
      [["container-stopped", "its container is dead", "start"]],
    ],
    [
      "about to be removed",
      { container: container({ status: "removing" }), view: "-" },
      [["container-stopped", "its container is being removed", "start"]],
    ],
    [
      "crashing",
      { container: container({ status: "restarting" }), view: "-" },
      [["container-restarting", "its container restarts again and again (exit code 1)", undefined]],
    ],
    [
      "another restart policy",
      { container: container({ restart: "no" }) },
      [["restart-policy-changed", "its restart policy is no; always was deployed", "restart-policy"]],
    ],
    [
      "tainted and ready",
      { resource: resource({ tainted: true }) },
      [
        [
          "healthy-container-tainted",
          "its container is tainted, but the agent is ready: the next deploy would replace it",
          "untaint",
        ],
      ],
    ],
    [
      "tainted and not ready",
      { resource: resource({ tainted: true }), view: "refused" },
      [["container-tainted", "its container is tainted, and its API is unreachable: refused", undefined]],
    ],
    [
      "tainted and never run: a part may be missing",
      { resource: resource({ tainted: true }), container: container({ status: "created" }), view: "-" },
      [["container-tainted", "its container is tainted, and it is created, but has never run", undefined]],
    ],
    [
      "tainted and stopped",
      { resource: resource({ tainted: true }), container: container({ status: "exited" }), view: "-" },
      [["container-tainted", "its container is tainted, and it has exited", undefined]],
    ],
    [
      "a file edited in it",
      { view: view({ files: new Map([["/consul/config/agent.json", sha256("other")]]) }) },
      [["files-changed", "files in its container were changed by hand: /consul/config/agent.json", "recreate"]],
    ],
    [
      "other secrets than were delivered",
      { secrets: { hashes: new Map([["/consul/secrets/ca.pem", sha256("ca")]]), deployed: true } },
      [
        [
          "secrets-changed",
          "its container has other secrets than the last deploy delivered: /consul/secrets/ca.pem",
          "deliver-secrets",
        ],
      ],
    ],
    [
      "secrets that have changed in the folder: only a deploy delivers them, because it creates tokens first",
      { secrets: { hashes: new Map([["/consul/secrets/ca.pem", sha256("ca")]]), deployed: false } },
      [["secrets-not-deployed", "its secrets have changed since the last deploy: /consul/secrets/ca.pem", undefined]],
    ],
    [
      "a pause",
      { container: container({ status: "paused" }), view: "-" },
      [["container-paused", "its container is paused", "unpause"]],
    ],
    [
      "no leader",
      { view: view({ leader: "" }) },
      [["agent-not-ready", "it is not ready: it knows no leader", undefined]],
    ],
    [
      "no leader, and why",
      { view: view({ leader: "", whyNoLeader: "rpc error" }) },
      [["agent-not-ready", "it is not ready: it knows no leader: rpc error", undefined]],
    ],
    [
      "no voter",
      { view: view({ servers: [...voters("s2", "s3"), raftServer("s1", "s1:8300", false)] }) },
      [["agent-not-ready", "it is not ready: it is no voter", undefined]],
    ],
    [
      "no member",
      { view: view({ members: [member("s1", { Status: 4 })] }) },
      [["agent-not-member", "it is no alive member of its own cluster", undefined]],
    ],
  ])("%s", (_, parts, problems) => expect(found(healthy(parts))).toEqual(problems));

  test("secrets that its container has are no problem, even when the last deploy delivered others", () => {
    const files = new Map([...view().files, ["/consul/secrets/ca.pem", sha256("ca")] as const]);
    const secrets = { hashes: new Map([["/consul/secrets/ca.pem", sha256("ca")]]), deployed: false };
    expect(found(healthy({ view: view({ files }), secrets }))).toEqual([]);
  });

  test("several problems at once are all reported", () =>
    expect(
      found(healthy({ resource: resource({ tainted: true }), container: container({ restart: "no" }) })).map(
        ([, , fix]) => fix,
      ),
    ).toEqual(["restart-policy", "untaint"]));
});

describe("what the container shows of the reason", () => {
  const line = "listen tcp 127.0.0.1:8600: bind: address already in use";
  const { failure } = failureIn([line]) ?? {};
  const known: ContainerReport = { lines: [], failure, line };
  const unknown: ContainerReport = { lines: [], line: "panic" };
  const why = `another program of the host listens on a port of the agent's (${line})`;
  const found = (
    report: ContainerReport,
    status: "restarting" | "exited" | "running",
    answers: InspectedAgent["view"] = "no answer",
  ) => {
    const [problem] = agentProblems(healthy({ container: container({ status }), view: answers, report }));
    return [problem?.message, problem?.hint];
  };

  test.each([
    ["restarting", known, `its container restarts again and again (exit code 1): ${why}`, failure?.hint],
    [
      "restarting",
      unknown,
      "its container restarts again and again (exit code 1) (last log line: panic)",
      "docker logs",
    ],
    ["running", known, `it is not ready: its API is unreachable: no answer: ${why}`, failure?.hint],
    ["running", unknown, "it is not ready: its API is unreachable: no answer (last log line: panic)", "docker logs"],
    ["exited", known, `its container has exited: ${why}`, failure?.hint],
    ["exited", unknown, "its container has exited", "docker start"],
  ] as const)("of a container that is %s", (status, report, message, hint) => {
    expect(found(report, status)).toEqual([message, expect.stringContaining(hint ?? "-")]);
  });
  test("of an agent that answers, without lines of a log that goes on", () => {
    const answers = view({ leader: "" });
    expect(found(unknown, "running", answers)[0]).toBe("it is not ready: it knows no leader");
    expect(found(known, "running", answers)[0]).toBe(`it is not ready: it knows no leader: ${why}`);
  });
});

test("a server that does not know the voters is not ready", () =>
  expect(notReady(healthy({ view: view({ servers: undefined }) }))?.message).toBe("it does not know the voters"));
test("the summary of an agent that is not ready has no details", () =>
  expect(notReady(healthy({ view: "nc: can't connect to remote host (127.0.0.1): Connection refused" }))).toEqual({
    summary: "its API is unreachable",
    message: "its API is unreachable: nc: can't connect to remote host (127.0.0.1): Connection refused",
  }));
test("without the Terraform state, a container counts as known, and problems of the container itself are found", () => {
  const unread = { resource: undefined, stateUnread: true } as const;
  expect(found(healthy(unread))).toEqual([]);
  expect(found(healthy({ ...unread, container: container({ status: "exited" }), view: "-" }))).toEqual([
    ["container-stopped", "its container has exited", "start"],
  ]);
});

describe("uploaded files", () => {
  const upload = (file: object) => resource({}, { upload: [{ file: "/f", ...file }] });
  test("one that is missing", () =>
    expect(changedFiles(upload({ content: "x" }), new Map())).toEqual(["/f (missing)"]));
  test("base64 is compared by its decoded content", () =>
    expect(changedFiles(upload({ content_base64: "eA==" }), new Map([["/f", sha256("x")]]))).toEqual([]));
  test("a secret file by its hash", () =>
    expect(changedFiles(upload({ source: "/s", source_hash: sha256("x") }), new Map([["/f", sha256("y")]]))).toEqual([
      "/f",
    ]));
  test("one without a hash cannot be compared", () =>
    expect(changedFiles(upload({ source: "/s" }), new Map([["/f", "y"]]))).toEqual([]));
});

describe("a lock", () => {
  const stale = (owner: string, ...inspected: InspectedAgent[]) => {
    const entry = { key: "consul-cdktf/replacing", owner, index: 7 };
    return whyStale(entry, inspected, [healthy().agent]);
  };
  test("of an agent that is ready is stale", () => expect(stale("s1", healthy())).toBe("s1 is ready"));
  test("of a maintenance is not stale, whether or not the agent is ready", () =>
    expect(
      whyStale({ key: "k", owner: "s1", index: 7, maintenance: 1 }, [healthy()], [healthy().agent]),
    ).toBeUndefined());
  test("of an agent that is not ready is not stale", () =>
    expect(stale("s1", healthy({ view: view({ servers: [] }) }))).toBeUndefined());
  test("of an agent whose container is missing is not stale: the next deploy creates it", () =>
    expect(stale("s1", healthy({ container: undefined }))).toBeUndefined());
  test("of an agent that was not inspected, because it is to be decommissioned, is not stale", () =>
    expect(stale("s1")).toBeUndefined());
  test("of an agent that the file does not have is stale", () =>
    expect(stale("s9", healthy())).toBe("the file has no s9"));
});
