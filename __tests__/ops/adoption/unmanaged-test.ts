import { defineCluster } from "../../../cluster/define";
import { dataFolder, mismatches, sharesData } from "../../../ops/adoption/unmanaged";
import type { AgentView } from "../../../ops/consul-api/agent-view";
import type { Container } from "../../../ops/docker/container";

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

/** What s1 says of itself when it is as the file describes it. */
function view(
  parts: { self?: object; member?: object; members?: AgentView["members"]; data?: string } = {},
): AgentView {
  const member = {
    Name: "s1",
    Addr: "10.0.0.1",
    Port: 8301,
    Status: 1,
    Tags: { port: "8300", role: "consul" },
    ...parts.member,
  };
  return {
    self: {
      Config: { Datacenter: "dc1", NodeName: "s1", Server: true, Version: "1.22.2", ...parts.self },
      DebugConfig: { DataDir: parts.data ?? "/consul/data", LeaveOnTerm: false },
      Member: member,
      Stats: { serf_lan: { encrypted: "false" } },
    },
    members: parts.members ?? [member],
    leader: "10.0.0.1:8300",
    peers: ["10.0.0.1:8300"],
  };
}

describe("where a container's data is", () => {
  test.each([
    ["the image's own folder", { cmd: ["agent", "-server"] }, "/consul/data"],
    ["the article's flag", { cmd: ["agent", "-data-dir=/tmp/data-dir", "-ui"] }, "/tmp/data-dir"],
    ["two hyphens, two words", { cmd: ["agent", "--data-dir", "/data"] }, "/data"],
    ["the last of several", { cmd: ["agent", "-data-dir=/a", "-data-dir=/b"] }, "/b"],
    ["the image's variable", { env: ["CONSUL_DATA_DIR=/var/consul"] }, "/var/consul"],
    ["a flag over the variable", { cmd: ["agent", "-data-dir=/a"], env: ["CONSUL_DATA_DIR=/var/consul"] }, "/a"],
  ])("%s", (_, parts, folder) => expect(dataFolder(container(parts))).toBe(folder));
});

describe("data stays where it is", () => {
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

describe("what an agent and the file disagree in", () => {
  const said = (given: AgentView, made = container()) =>
    mismatches(cluster, agent("s1"), made, given).map(({ what, hint }) => `${what} | ${hint}`);

  test("nothing", () => expect(said(view())).toEqual([]));
  test.each([
    [
      "node name",
      view({ self: { NodeName: "other" } }),
      "its node name is other, and the file's s1 | set `node: other`",
    ],
    [
      "datacenter",
      view({ self: { Datacenter: "east" } }),
      "its datacenter is east, and the file's dc1 | set `datacenter: east`",
    ],
    ["role", view({ self: { Server: false } }), "its role is client, and the file's server | list it under `clients`"],
    [
      "address",
      view({ member: { Addr: "10.0.0.9" } }),
      "its address is 10.0.0.9, and the file's 10.0.0.1 | set the host's `address`",
    ],
    [
      "gossip port",
      view({ member: { Port: 9301 } }),
      "its serf_lan port is 9301, and the file's 8301 | set `ports: { serf_lan: 9301 }`",
    ],
    [
      "server port",
      view({ member: { Tags: { port: "9300" } } }),
      "its server port is 9300, and the file's 8300 | set `ports: { server: 9300 }`",
    ],
    [
      "data folder in a file",
      view({ data: "/elsewhere" }),
      "its data folder is /elsewhere, and the file's /consul/data",
    ],
  ])("%s", (_, given, message) => expect(said(given)).toEqual([expect.stringContaining(message)]));

  test("a network of its own", () =>
    expect(said(view(), container({ network: "bridge" }))).toEqual([expect.stringContaining("its network is bridge")]));

  test("a server of the cluster that the file does not have; one that has left does not count", () => {
    const member = (name: string, status: number) => ({
      Name: name,
      Addr: "10.0.0.7",
      Port: 8301,
      Status: status,
      Tags: { role: "consul" },
    });
    expect(said(view({ members: [member("s9", 1), member("s8", 3), member("s2", 1)] }))).toEqual([
      "its cluster has a server s9 (10.0.0.7), and the file has none | add s9 to `hosts` and `servers`",
    ]);
  });
});
