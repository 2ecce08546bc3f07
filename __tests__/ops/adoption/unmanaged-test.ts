import { defineCluster } from "../../../cluster/define";
import { dataFolder, mismatches, sharesData } from "../../../ops/adoption/unmanaged";
import type { Container } from "../../../ops/docker/container";
import type { AgentProbe, AgentSettings } from "../../../ops/inspect/probe";
import { member } from "../../rollout/answers";

const cluster = defineCluster({
  name: "article",
  security: "off",
  client_addr: "0.0.0.0",
  ignore: ["open-http"],
  daemon: "ssh://root@{address}",
  hosts: { s1: "10.0.0.1", s2: "10.0.0.2", s3: "10.0.0.3", c1: "10.0.0.4" },
  servers: ["s1", "s2", "s3"],
  clients: ["c1"],
});
const agent = (name: string) => cluster.agents.find((each) => each.name === name) as (typeof cluster.agents)[number];

function container(
  parts: { cmd?: string[]; env?: string[]; mounts?: Container["Mounts"]; network?: string } = {},
): Container {
  return {
    Id: "1",
    Image: "sha256:1",
    Name: "/s1",
    RestartCount: 0,
    State: { Status: "running", Running: true, ExitCode: 0, Error: "", StartedAt: "2026-01-01T00:00:00Z" },
    Config: {
      Image: "consul",
      Hostname: "s1",
      Cmd: parts.cmd ?? ["agent"],
      Entrypoint: null,
      Env: parts.env ?? null,
      Labels: null,
    },
    HostConfig: { NetworkMode: parts.network ?? "host", RestartPolicy: { Name: "always" } },
    Mounts: parts.mounts ?? [],
  };
}

/** The view of s1 as the file describes it. */
function view(parts: { settings?: Partial<AgentSettings>; members?: AgentProbe["members"] } = {}): AgentProbe {
  return {
    version: "1.22.2",
    id: "id-s1",
    settings: {
      node: "s1",
      datacenter: "dc1",
      server: true,
      address: "10.0.0.1",
      gossipPort: 8301,
      serverPort: "8300",
      dataFolder: "/consul/data",
      leavesOnTerm: false,
      gossipEncrypted: false,
      ...parts.settings,
    },
    members: parts.members ?? [member("s1")],
    leader: "10.0.0.1:8300",
    peers: ["10.0.0.1:8300"],
    files: new Map(),
  };
}

describe("the data folder of a container", () => {
  test.each([
    ["the image's own folder", { cmd: ["agent", "-server"] }, "/consul/data"],
    ["the article's flag", { cmd: ["agent", "-data-dir=/tmp/data-dir", "-ui"] }, "/tmp/data-dir"],
    ["two hyphens, two words", { cmd: ["agent", "--data-dir", "/data"] }, "/data"],
    ["the last of several", { cmd: ["agent", "-data-dir=/a", "-data-dir=/b"] }, "/b"],
    ["the image's variable", { env: ["CONSUL_DATA_DIR=/var/consul"] }, "/var/consul"],
    ["a flag over the variable", { cmd: ["agent", "-data-dir=/a"], env: ["CONSUL_DATA_DIR=/var/consul"] }, "/a"],
  ])("%s", (_, parts, folder) => expect(dataFolder(container(parts))).toBe(folder));
});

describe("data stays in place", () => {
  const mount = (parts: Partial<Container["Mounts"][number]>) => [
    { Type: "volume", Source: "/var/lib/docker/x", Destination: "/consul/data", ...parts },
  ];
  test("on the volume that the file names", () =>
    expect(sharesData(container({ mounts: mount({ Name: "s1-data" }) }), agent("s1"))).toBe(true));
  test("not on another", () =>
    expect(sharesData(container({ mounts: mount({ Name: "0123" }) }), agent("s1"))).toBe(false));
  test("not when the volume is mounted elsewhere", () =>
    expect(sharesData(container({ mounts: mount({ Name: "s1-data", Destination: "/tmp" }) }), agent("s1"))).toBe(
      false,
    ));
  test("in the host's folder that the file names", () =>
    expect(
      sharesData(container({ mounts: mount({ Type: "bind", Source: "/data" }) }), { ...agent("s1"), data: "/data/" }),
    ).toBe(true));
});

describe("the differences between an agent and the file", () => {
  const found = (running: AgentProbe, inContainer = container()) =>
    mismatches(cluster, agent("s1"), inContainer, running).map(({ message, hint }) => `${message} | ${hint}`);

  test("none", () => expect(found(view())).toEqual([]));
  test.each([
    ["node name", view({ settings: { node: "other" } }), "its node name is other; the file has s1 | set `node: other`"],
    [
      "datacenter",
      view({ settings: { datacenter: "east" } }),
      "its datacenter is east; the file has dc1 | set `datacenter: east`",
    ],
    [
      "role",
      view({ settings: { server: false } }),
      "its role is client; the file has server | list it under `clients`",
    ],
    [
      "address",
      view({ settings: { address: "10.0.0.9" } }),
      "its address is 10.0.0.9; the file has 10.0.0.1 | set the host's `address`",
    ],
    [
      "gossip port",
      view({ settings: { gossipPort: 9301 } }),
      "its serf_lan port is 9301; the file has 8301 | set `ports: { serf_lan: 9301 }`",
    ],
    [
      "server port",
      view({ settings: { serverPort: "9300" } }),
      "its server port is 9300; the file has 8300 | set `ports: { server: 9300 }`",
    ],
    [
      "data folder in a file",
      view({ settings: { dataFolder: "/elsewhere" } }),
      "its data folder is /elsewhere; the file has /consul/data",
    ],
  ])("%s", (_, given, message) => expect(found(given)).toEqual([expect.stringContaining(message)]));

  test("encrypted gossip", () =>
    expect(found(view({ settings: { gossipEncrypted: true } }))).toEqual([
      "its gossip is encrypted | first remove the gossip key from the running cluster, because this file has `security: off`",
    ]));

  test("a network of its own", () =>
    expect(found(view(), container({ network: "bridge" }))).toEqual([
      expect.stringContaining("its network is bridge"),
    ]));

  test("a server of the cluster that the file does not have; one that has left does not count", () => {
    const members = [
      member("s9", { Addr: "10.0.0.7" }),
      member("s8", { Status: 3 }),
      member("s2"),
      member("c9", { role: "node" }),
    ];
    expect(found(view({ members }))).toEqual([
      "its cluster has a server s9 (10.0.0.7:8301), and the file does not | add s9 to `hosts` and `servers`",
    ]);
  });
});
