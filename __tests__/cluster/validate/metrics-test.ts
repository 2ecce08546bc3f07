import { defineCluster } from "../../../cluster/define";
import type { ClusterFile } from "../../../cluster/file/schema";
import { ClusterError } from "../../../cluster/problem";

const FILE: ClusterFile = {
  name: "c",
  daemon: "ssh://root@{address}",
  hosts: { s1: "10.0.0.1", c1: "10.0.0.2" },
  servers: ["s1"],
  clients: ["c1"],
  metrics: "on",
};
const BRIDGE: Partial<ClusterFile> = {
  network: "bridge",
  daemon: "unix:///var/run/docker.sock",
  hosts: { local: "127.0.0.1" },
  servers: [{ name: "s1", host: "local" }],
  clients: [],
};

const agents = (file: Partial<ClusterFile>) => defineCluster({ ...FILE, ...file }).agents;
const warnings = (file: Partial<ClusterFile>) =>
  defineCluster({ ...FILE, ...file })
    .warnings.filter(({ code }) => code === "unreachable-metrics")
    .map(({ message, hint }) => `${message} | ${hint}`);

const errors = (file: Partial<ClusterFile>): readonly string[] => {
  try {
    defineCluster({ ...FILE, ...file });
  } catch (error) {
    if (error instanceof ClusterError) return error.problems.map(({ code, message }) => `${code}: ${message}`);
  }
  return [];
};

test("with security, HTTPS listens at the host's address too, and nothing else does", () => {
  for (const { httpsAddresses, clientAddresses, host } of agents({})) {
    expect(httpsAddresses).toEqual(["127.0.0.1", host.address]);
    expect(clientAddresses).toEqual(["127.0.0.1"]);
  }
});
test.each([["{address}"], ["0.0.0.0"], ["127.0.0.1 {address}"]])(
  "HTTPS that is at the host's address by client_addr %s stays as it is",
  (client_addr) =>
    expect(agents({ client_addr }).map(({ httpsAddresses }) => httpsAddresses)).toEqual([undefined, undefined]),
);
test("without metrics, no agent exports any", () =>
  expect(agents({ metrics: "off" }).map(({ metrics, httpsAddresses }) => [metrics, httpsAddresses])).toEqual([
    [false, undefined],
    [false, undefined],
  ]));
test("thresholds that the file does not set have their defaults", () => {
  const { metrics } = defineCluster({ ...FILE, metrics: { thresholds: { last_contact: 50 } } });
  expect(metrics?.thresholds).toMatchObject({ last_contact: 50, commit_time: 10 });
});
test.each<[string, Partial<ClusterFile>, string[]]>([
  ["by HTTPS", {}, []],
  [
    "by plain HTTP of loopback",
    { security: "off", clients: [] },
    [
      'plain HTTP listens on loopback only, so other machines cannot scrape the metrics | set `client_addr: "127.0.0.1 {address}"`, or silence this with `ignore: [unreachable-metrics]`',
    ],
  ],
  ["by plain HTTP of the host's address", { security: "off", client_addr: "{address}" }, []],
  [
    "in a bridge network, without a published port",
    BRIDGE,
    [
      "its port of https is not published, so other machines cannot scrape the metrics | set `publish: { https: PORT }`, or silence this with `ignore: [unreachable-metrics]`",
    ],
  ],
  ["in a bridge network, at a published port", { ...BRIDGE, publish: { https: 9501 } }, []],
  [
    "with HTTPS off",
    { clients: [], ports: { https: -1 } },
    [
      "HTTPS is off, so other machines cannot scrape the metrics | remove `ports.https`, or silence this with `ignore: [unreachable-metrics]`",
    ],
  ],
])("metrics are scraped %s", (_, file, expected) => expect(warnings(file)).toEqual(expected));

test("the token's name is taken, but only with metrics", () => {
  const security = { tokens: { metrics: { policies: ["metrics"] } }, policies: { metrics: 'node_prefix "" {}' } };
  expect(errors({ security })).toEqual([
    'invalid-name: "metrics" is the name that `metrics:` uses',
    'invalid-name: "metrics" is the name that `metrics:` uses',
  ]);
  expect(errors({ security, metrics: "off" })).toEqual([]);
});
