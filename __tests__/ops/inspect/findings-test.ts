import { createHash } from "node:crypto";
import type { Container } from "../../../ops/docker/container";
import { agentFindings, changedFiles, type InspectedAgent, whyNotReady, whyStale } from "../../../ops/inspect/findings";
import type { AgentProbe } from "../../../ops/inspect/probe";
import type { StateResource } from "../../../ops/terraform/state";
import { load } from "../../cluster-files";

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

const member = (name: string, status = 1) => ({ name, address: "10.0.0.1:8301", status, server: true });
const voters = (...names: string[]) =>
  names.map((node) => ({ id: `id-${node}`, node, address: `${node}:8300`, voter: true }));
const view = (parts: Partial<AgentProbe> = {}): AgentProbe => ({
  version: "1.22.2",
  id: "id-s1",
  members: ["s1", "s2", "s3", "c1"].map((name) => member(name)),
  leader: "10.0.0.1:8300",
  servers: voters("s1", "s2", "s3"),
  files: new Map([["/consul/config/agent.json", sha256(CONTENT)]]),
  ...parts,
});

/** An agent about which nothing is wrong. */
const well = (parts: Partial<InspectedAgent> = {}): InspectedAgent => ({
  agent: agent("s1"),
  resource: resource(),
  container: container(),
  view: view(),
  ...parts,
});
const said = (examined: InspectedAgent) => agentFindings(examined).map(({ what, action }) => [what, action]);

test("an agent that is as it was deployed, and in, is nothing to speak of", () => expect(said(well())).toEqual([]));

describe("what is wrong with an agent, and what --fix does about it", () => {
  test.each<[string, Partial<InspectedAgent>, [string, string | undefined][]]>([
    ["never deployed", { container: undefined, resource: undefined }, [["it has no container s1", undefined]]],
    ["removed by hand", { container: undefined }, [["the state has its container, and its host has not", undefined]]],
    [
      "left behind by a deploy that was killed",
      { resource: undefined },
      [["its container s1 is not in the state: a deploy was killed before it was written down", "replace"]],
    ],
    [
      "made anew by hand",
      { container: container({ id: "2", volume: "s1-data" }) },
      [
        [
          "its container s1 is not in the state: it was made by hand, with another command, label owner, variable TOKEN",
          "replace",
        ],
      ],
    ],
    [
      "somebody else's of its name",
      { resource: undefined, container: container({ ours: false, volume: "other" }) },
      [["its container s1 is not in the state, and its data is not in s1-data", undefined]],
    ],
    ["stopped", { container: container({ status: "exited" }), view: "-" }, [["its container is exited", "start"]]],
    [
      "created and never started",
      { container: container({ status: "created" }), view: "-" },
      [["its container is created", "start"]],
    ],
    [
      "crashing",
      { container: container({ status: "restarting" }), view: "-" },
      [["it restarts again and again (exit code 1)", undefined]],
    ],
    [
      "another restart policy",
      { container: container({ restart: "no" }) },
      [["its restart policy is no, and was always", "restart-policy"]],
    ],
    [
      "tainted and working",
      { resource: resource({ tainted: true }) },
      [["its container is tainted, and works: the next deploy would destroy it unasked", "untaint"]],
    ],
    [
      "tainted and broken",
      { resource: resource({ tainted: true }), view: "refused" },
      [["its container is tainted, and its API does not answer: refused", undefined]],
    ],
    [
      "tainted and never started: a part may be missing",
      { resource: resource({ tainted: true }), container: container({ status: "created" }), view: "-" },
      [["its container is tainted, and is created", undefined]],
    ],
    [
      "a file edited in it",
      { view: view({ files: new Map([["/consul/config/agent.json", sha256("other")]]) }) },
      [["changed by hand in its container: /consul/config/agent.json", "replace"]],
    ],
    [
      "secrets that are not those that it was given",
      { secrets: { hashes: new Map([["/consul/secrets/ca.pem", sha256("ca")]]), deployed: true } },
      [["it has other secrets than it was given: /consul/secrets/ca.pem", "give-secrets"]],
    ],
    [
      "secrets that have changed in the folder: a deploy makes tokens before it gives them to anybody",
      { secrets: { hashes: new Map([["/consul/secrets/ca.pem", sha256("ca")]]), deployed: false } },
      [["its secrets have changed since the last deploy: /consul/secrets/ca.pem", undefined]],
    ],
    ["a pause", { container: container({ status: "paused" }), view: "-" }, [["its container is paused", "unpause"]]],
    ["no leader", { view: view({ leader: "" }) }, [["it runs, and is not in: it knows no leader", undefined]]],
    [
      "no leader, and why",
      { view: view({ leader: "", whyNoLeader: "rpc error" }) },
      [["it runs, and is not in: it knows no leader: rpc error", undefined]],
    ],
    [
      "no voter",
      { view: view({ servers: [...voters("s2", "s3"), { id: "id-s1", node: "s1", address: "", voter: false }] }) },
      [["it runs, and is not in: it is no voter", undefined]],
    ],
    [
      "no member",
      { view: view({ members: [member("s1", 4)] }) },
      [["it is no living member of its own cluster", undefined]],
    ],
  ])("%s", (_, parts, findings) => expect(said(well(parts))).toEqual(findings));

  test("its secrets are nothing to speak of when it has them, whatever else the folder has had since", () => {
    const files = new Map([...view().files, ["/consul/secrets/ca.pem", sha256("ca")] as const]);
    const secrets = { hashes: new Map([["/consul/secrets/ca.pem", sha256("ca")]]), deployed: false };
    expect(said(well({ view: view({ files }), secrets }))).toEqual([]);
  });

  test("several things at once are all said", () =>
    expect(
      said(well({ resource: resource({ tainted: true }), container: container({ restart: "no" }) })).map(
        ([, action]) => action,
      ),
    ).toEqual(["restart-policy", "untaint"]));
});

test("what cannot be asked about is no sign that all is well", () =>
  expect(whyNotReady(well({ view: view({ servers: undefined }) }))).toBe("it does not say who is a voter"));
test("a container is not taken for a stranger where the state could not be read, and what it does of itself is found", () => {
  const unread = { resource: undefined, stateUnread: true } as const;
  expect(said(well(unread))).toEqual([]);
  expect(said(well({ ...unread, container: container({ status: "exited" }), view: "-" }))).toEqual([
    ["its container is exited", "start"],
  ]);
});

describe("uploaded files", () => {
  const upload = (file: object) => resource({}, { upload: [{ file: "/f", ...file }] });
  test("one that is gone", () => expect(changedFiles(upload({ content: "x" }), new Map())).toEqual(["/f (gone)"]));
  test("base64 is compared by what it stands for", () =>
    expect(changedFiles(upload({ content_base64: "eA==" }), new Map([["/f", sha256("x")]]))).toEqual([]));
  test("a secret file by its hash", () =>
    expect(changedFiles(upload({ source: "/s", source_hash: sha256("x") }), new Map([["/f", sha256("y")]]))).toEqual([
      "/f",
    ]));
  test("one without a hash cannot be compared", () =>
    expect(changedFiles(upload({ source: "/s" }), new Map([["/f", "y"]]))).toEqual([]));
});

describe("a lock", () => {
  const stale = (owner: string, ...examined: InspectedAgent[]) => {
    const entry = { key: "consul-cdktf/replacing", owner, index: 7 };
    return whyStale(entry, examined, [well().agent]);
  };
  test("of an agent that is in is nobody's", () => expect(stale("s1", well())).toBe("s1 is in"));
  test("of an agent that is not in is its own", () =>
    expect(stale("s1", well({ view: view({ servers: [] }) }))).toBeUndefined());
  test("of an agent whose container is gone is its own: the next deploy makes it", () =>
    expect(stale("s1", well({ container: undefined }))).toBeUndefined());
  test("of an agent that was not looked at, since it leaves, is its own", () => expect(stale("s1")).toBeUndefined());
  test("of an agent that the file does not have is nobody's", () =>
    expect(stale("s9", well())).toBe("the file has no s9"));
});
