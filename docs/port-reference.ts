import { DEFAULTS } from "../cluster/resolve/defaults";
import { effectivePorts, LOOPBACK, listeners, type PortName, type Role } from "../consul/ports";
import { table } from "./markdown";
import { pageWithPart } from "./page-part";

interface Connections {
  readonly protocol: string;
  readonly from: string;
  readonly purpose: string;
}

const CONNECTIONS: Readonly<Record<PortName, Connections>> = {
  server: { protocol: "TCP", from: "all agents, to servers", purpose: "RPC and Raft" },
  serf_lan: { protocol: "TCP and UDP", from: "all agents, to all agents", purpose: "gossip in the datacenter" },
  serf_wan: {
    protocol: "TCP and UDP",
    from: "servers of another datacenter, to servers, with [federation](layouts.md#without-security-federation) only",
    purpose: "gossip between datacenters",
  },
  http: { protocol: "TCP", from: "programs of the host", purpose: "HTTP API and UI" },
  https: { protocol: "TCP", from: "programs with a client certificate; Prometheus", purpose: "HTTPS API and UI" },
  grpc: { protocol: "TCP", from: "Envoy on the same host", purpose: "gRPC without TLS" },
  grpc_tls: {
    protocol: "TCP",
    from: "servers of a [peered](layouts.md#with-security-peering) cluster",
    purpose: "gRPC with TLS",
  },
  dns: { protocol: "TCP and UDP", from: "resolvers of the host", purpose: "DNS" },
};

/** docs/ports.md, with the ports that agents listen on by default, in a secured cluster. */
export function portReference(): string {
  const rows = (Object.keys(CONNECTIONS) as PortName[]).map((name) => {
    const { protocol, from, purpose } = CONNECTIONS[name];
    return [`\`${name}\``, portOf(name, "server"), portOf(name, "client"), protocol, listensAt(name), from, purpose];
  });
  const headings = ["key", "of a server", "of a client agent", "protocol", "listens at", "who connects", "purpose"];
  return pageWithPart("ports.md", "ports", table(headings, rows));
}

const BIND = "the host's address";
const CLIENT = "`client_addr`";

const securedListeners = (role: Role) =>
  listeners(
    role,
    { ...effectivePorts(role), https: DEFAULTS.httpsPort },
    { client: [CLIENT], bind: BIND, httpsOnly: true },
  );

function portOf(name: PortName, role: Role): string {
  const listener = securedListeners(role).find((one) => one.name === name);
  return listener ? String(listener.port) : "off";
}

/** Ports that are off by default would listen where the API does. */
const listensAt = (name: PortName): string =>
  (securedListeners("server").find((one) => one.name === name)?.addresses ?? [CLIENT])
    .map((address) => (address === LOOPBACK ? "loopback only" : address))
    .join(", ");
