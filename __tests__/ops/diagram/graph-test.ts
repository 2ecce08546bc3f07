import { defineCluster } from "../../../cluster/define";
import type { ClusterFile } from "../../../cluster/file/schema";
import { type Graph, graphOf } from "../../../ops/diagram/graph";
import { mermaid } from "../../../ops/diagram/mermaid";
import { svg } from "../../../ops/diagram/svg";
import { FOUR_HOSTS, HEAD, load } from "../../cluster-files";
import { synthesizeCluster } from "../../synthesized";
import { clusterOf, FILES } from "./clusters";

const agentOf = ({ agents }: Graph, name: string) => agents.find((agent) => agent.name === name);
const listens = (graph: Graph, agent: string) =>
  Object.fromEntries(
    (agentOf(graph, agent)?.listens ?? []).map(({ name, port, addresses }) => [name, `${addresses.join(" ")}:${port}`]),
  );

describe("ports", () => {
  test("are where the agent listens: gossip and RPC at its host's address, the rest at its client addresses", () => {
    const graph = graphOf(
      load(`${FOUR_HOSTS.replace("[s1,", "[{ name: s1, client_addr: 127.0.0.1 10.0.0.1 },")}ignore: [open-http]\n`),
    );
    expect(listens(graph, "s1")).toEqual({
      serf_lan: "10.0.0.1:8301",
      serf_wan: "10.0.0.1:8302",
      server: "10.0.0.1:8300",
      dns: "127.0.0.1 10.0.0.1:8600",
      http: "127.0.0.1 10.0.0.1:8500",
      grpc_tls: "127.0.0.1 10.0.0.1:8503",
    });
    expect(Object.keys(listens(graph, "c1")).sort()).toEqual(["dns", "http", "serf_lan"]);
  });

  test("of a secured cluster have HTTPS, and plain HTTP for the host alone", () => {
    const graph = graphOf(load(FOUR_HOSTS.replace("security: off", "client_addr: 0.0.0.0")));
    expect(listens(graph, "c1")).toMatchObject({ http: "127.0.0.1:8500", https: "0.0.0.0:8501" });
    expect(graph.cluster.security).toBe("strict");
  });

  test("of a bridged agent are those that are published, too", () => {
    const graph = graphOf(clusterOf("clusters/local.yaml"));
    expect(agentOf(graph, "consul-client1")?.published).toEqual([
      { name: "dns", address: "127.0.0.1", port: 8600 },
      { name: "http", address: "127.0.0.1", port: 8500 },
    ]);
    expect(graph.cluster.subnet).toBe("172.30.86.0/24");
  });
});

describe("who joins whom", () => {
  const joinsOf = (text: string, agent: string) =>
    graphOf(load(text)).joins.flatMap(({ from, to }) => (from === agent ? [to] : []));

  test("agents by their names", () => {
    expect(joinsOf(FOUR_HOSTS, "c1")).toEqual(["s1", "s2", "s3"]);
    expect(joinsOf(FOUR_HOSTS, "s2")).toEqual(["s1", "s3"]);
  });
  test("an agent that is named by its address is that agent", () =>
    expect(joinsOf(`${FOUR_HOSTS}join: [s1, s2, 10.0.0.2]\n`, "c1")).toEqual(["s1", "s2"]));
  test("an address of no agent is one itself", () => {
    const text = `${FOUR_HOSTS}join: [s1, consul.example.com, 10.0.9.9]\n`;
    expect(joinsOf(text, "c1")).toEqual(["10.0.9.9:8301", "consul.example.com:8301", "s1"]);
    expect(graphOf(load(text)).addresses).toEqual(["10.0.9.9:8301", "consul.example.com:8301"]);
  });
});

describe("stacks", () => {
  const GROUPS = `${HEAD}hosts:
  s1: { address: 10.0.0.1, group: x }
  s2: { address: 10.0.0.2, group: b }
  s3: 10.0.0.3
  c1: { address: 10.0.0.4, group: a }
servers: [s1, s2, s3]
clients: [c1]
`;

  test("are in the order of their deployment", () => {
    expect(graphOf(load(GROUPS)).stacks.map(({ name, step }) => [name, step])).toEqual([
      ["c-b", 1],
      ["c-x", 1],
      ["c", 2],
      ["c-a", 3],
    ]);
  });

  test.each([GROUPS, FOUR_HOSTS])("wait for the same as those that are synthesized", (text) => {
    const { manifest } = synthesizeCluster(load(text));
    const synthesized = Object.entries(manifest.stacks).map(([name, { dependencies }]) => [
      name,
      [...dependencies].sort(),
    ]);
    expect(
      Object.fromEntries(graphOf(load(text)).stacks.map(({ name, dependencies }) => [name, dependencies])),
    ).toEqual(Object.fromEntries(synthesized));
  });
});

test("the order of a file changes no byte", () => {
  const hosts: Record<string, ClusterFile["hosts"][string]> = {
    ...{ s1: { address: "10.0.0.1", group: "x" }, s2: "10.0.0.2", s3: { address: "10.0.0.3", group: "y" } },
    ...{
      w1: { address: "10.0.0.4", group: "z" },
      w2: "10.0.0.5",
      w3: { address: "10.0.0.6", group: "y" },
      w4: { address: "10.0.0.7", group: "a" },
    },
  };
  const file: ClusterFile = {
    name: "c",
    daemon: "ssh://root@{address}",
    hosts,
    servers: ["s1", "s2", { name: "s3", ports: { http: 9500, dns: 53 } }],
    clients: ["w1", "w2", { name: "w3", ports: { dns: -1 } }, "w4"],
    join: ["s1", "s3", "elsewhere.example.com"],
  };
  const turned: ClusterFile = {
    ...file,
    hosts: Object.fromEntries(Object.entries(hosts).reverse()),
    servers: [{ name: "s3", ports: { dns: 53, http: 9500 } }, "s2", "s1"],
    clients: [...(file.clients ?? [])].reverse(),
    join: [...(file.join ?? [])].reverse(),
  };
  const written = (one: ClusterFile) => {
    const graph = graphOf(defineCluster(one));
    return [JSON.stringify(graph), svg(graph), mermaid(graph)];
  };
  expect(written(turned)).toEqual(written(file));
});

test.each(FILES)("%s: every agent is on a host, every host in a stack, every join between what there is", (file) => {
  const { agents, hosts, stacks, joins, addresses } = graphOf(clusterOf(file));
  const has = (names: readonly string[], name: string) => names.includes(name);
  expect(
    agents.filter(
      ({ host }) =>
        !has(
          hosts.map(({ name }) => name),
          host,
        ),
    ),
  ).toEqual([]);
  expect(
    hosts.filter(
      ({ stack }) =>
        !has(
          stacks.map(({ name }) => name),
          stack,
        ),
    ),
  ).toEqual([]);
  expect(
    joins.filter(({ from, to }) => !has([...agents.map(({ name }) => name), ...addresses], to) || from === to),
  ).toEqual([]);
  expect(joins.length).toBeGreaterThan(0);
});
