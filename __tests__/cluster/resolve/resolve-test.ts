import { defineCluster } from "../../../cluster/define";
import { FOUR_HOSTS, HEAD, load } from "../../cluster-files";

test("agents and hosts are in the order of their names' code units, not of the file or of a language", () => {
  const { agents, hosts } = load(FOUR_HOSTS);
  expect([agents.map(({ name }) => name), hosts.map(({ name }) => name)]).toEqual([
    ["c1", "s1", "s2", "s3"],
    ["c1", "s1", "s2", "s3"],
  ]);
});

test("an agent has its name for its node, container, host name and volume, unless they are given", () => {
  const { agents } = load(FOUR_HOSTS.replace("[c1]", "[{ name: c1, node: n, container: co }]"));
  expect(agents.map(({ node, container, hostname, data }) => [node, container, hostname, data])).toEqual([
    ["n", "co", "c1", "co-data"],
    ["s1", "s1", "s1", "s1-data"],
    ["s2", "s2", "s2", "s2-data"],
    ["s3", "s3", "s3", "s3-data"],
  ]);
});

test("a cluster in TypeScript is not changed by being checked", () => {
  const file = { name: "c", security: "off", daemon: "unix:///x", hosts: { s1: "10.0.0.1" }, servers: ["s1"] } as const;
  const before = JSON.stringify(file);
  defineCluster({ ...file, servers: [...file.servers] });
  expect(JSON.stringify(file)).toBe(before);
});

test("an address is one however it is spelled: nobody joins itself by another spelling", () => {
  const { agents } = load(
    `${HEAD}hosts: { s1: FD00:0::1, s2: fd00::2, s3: fd00::3 }\nservers: [s1, s2, s3]\njoin: ["fd00::0001", "FD00::2"]\n`,
  );
  expect(agents.map(({ join }) => join)).toEqual([
    [{ address: "fd00::2", port: 8301 }],
    [{ address: "fd00::1", port: 8301 }],
    [
      { address: "fd00::1", port: 8301 },
      { address: "fd00::2", port: 8301 },
    ],
  ]);
});

test("client addresses are trimmed", () =>
  expect(
    load(`${FOUR_HOSTS}client_addr: " 127.0.0.1  ::0 "\nignore: [open-http]\n`).agents[0]?.clientAddresses,
  ).toEqual(["127.0.0.1", "::"]));
