import { HostMaintenance } from "../../ops/maintenance/host-maintenance";
import { load } from "../cluster-files";

/** @param rest of the file: how many client agents are replaced at a time, for example */
const of = (agents: string, rest = "") => {
  const cluster = load(`name: shop
security: off
network: bridge
daemon: unix:///var/run/docker.sock
hosts: { local: 127.0.0.1 }
${agents}
${rest}
`);
  const [host] = cluster.hosts;
  if (!host) throw new Error("there is no host");
  return () => new HostMaintenance(cluster, host, [], () => undefined);
};

test("a host with several servers cannot be spared, whatever their health is", () => {
  const agents = "servers: [{ name: s1, host: local }, { name: s2, host: local }, { name: s3, host: local }]";
  expect(of(agents)).toThrow("3 servers run on local, and only one server may be down at a time");
});

test("nor can one with more client agents than may be replaced at a time", () => {
  const agents = `servers: [{ name: s1, host: local }]
clients: [{ name: c1, host: local }, { name: c2, host: local }]`;
  expect(of(agents, "max_parallel_clients: 1")).toThrow(
    "2 client agents run on local, and `max_parallel_clients` is 1",
  );
});
