import { DEFAULTS } from "../cluster/resolve/defaults";
import { effectivePorts, LOOPBACK, listeners, type PortName, type Role } from "../consul/ports";
import { table } from "./markdown";
import { pageWithParts } from "./page-part";

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
  return pageWithParts("ports.md", { ports: table(headings, rows), firewall: firewall() });
}

/** A rule for a firewall between hosts. Ports of the table above are named by their key. */
interface Rule {
  readonly from: string;
  readonly to: string;
  readonly port: PortName | string;
  readonly when: string;
}

const AGENTS = "every host with an agent";
const SERVERS = "every host with a server";
const OF_BOTH = "every host with a server, of both datacenters";
const FEDERATION = "with [federation](layouts.md#without-security-federation)";
const OPENED = "an agent whose `client_addr` opens it";

const RULES: readonly Rule[] = [
  { from: AGENTS, to: AGENTS, port: "serf_lan", when: "always" },
  { from: AGENTS, to: SERVERS, port: "server", when: "always" },
  {
    from: "the machine where deploys run",
    to: "every host",
    port: "22 for `ssh://`, or 2376 for `tcp://`",
    when: "always, unless it is `unix://`",
  },
  {
    from: "every host",
    to: "the registry",
    port: "443, or the port of your [mirror](layouts.md#images-mirrors-and-registries)",
    when: "always",
  },
  {
    from: "the machine where deploys run",
    to: "the [backend](state.md)",
    port: "the backend's",
    when: "unless it is `local`",
  },
  { from: OF_BOTH, to: OF_BOTH, port: "serf_wan", when: FEDERATION },
  { from: OF_BOTH, to: OF_BOTH, port: "server", when: FEDERATION },
  {
    from: "servers of a peered cluster",
    to: SERVERS,
    port: "grpc_tls",
    when: "with [peering](layouts.md#with-security-peering), which needs a `client_addr` that opens it",
  },
  { from: "Prometheus", to: AGENTS, port: "https", when: "with [`metrics: on`](metrics.md) and security" },
  { from: "programs on other machines", to: OPENED, port: "https", when: "with security" },
  { from: "programs on other machines", to: OPENED, port: "http", when: "with `security: off`" },
  {
    from: "resolvers on other machines",
    to: OPENED,
    port: "dns",
    when: "only where you need [DNS](dns.md) from there",
  },
];

const isPortName = (port: string): port is PortName => Object.hasOwn(CONNECTIONS, port);

const firewall = (): string[] =>
  table(
    ["from", "to", "port", "when"],
    RULES.map(({ from, to, port, when }) => {
      const text = isPortName(port) ? `${portOf(port, "server")}, ${CONNECTIONS[port].protocol}` : port;
      return [from, to, text, when];
    }),
  );

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
