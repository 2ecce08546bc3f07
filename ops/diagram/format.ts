import { isLoopback } from "../../consul/address";
import type { Listener, PortName, Role } from "../../consul/ports";
import { listed } from "../terminal/format";
import { type AgentNode, type Join, targetsByAgent } from "./graph";

const PORT_NAMES: Record<PortName, string> = {
  serf_lan: "gossip",
  serf_wan: "WAN gossip",
  server: "RPC",
  http: "HTTP",
  https: "HTTPS",
  grpc: "gRPC",
  grpc_tls: "gRPC with TLS",
  dns: "DNS",
};
const PORT_ORDER = Object.keys(PORT_NAMES);
const byPort = (a: { name: PortName }, b: { name: PortName }): number =>
  PORT_ORDER.indexOf(a.name) - PORT_ORDER.indexOf(b.name);

/** From where a port is reachable: from other hosts (in a bridge network, from other containers), or only from the agent's own host (its own container). */
type Reach = "others" | "own";
const reachOf = ({ addresses }: Listener): Reach => (addresses.every(isLoopback) ? "own" : "others");

/** `open: gossip 8301, RPC 8300` */
export function portLines(listens: readonly Listener[], bridged: boolean): string[] {
  const headings: Record<Reach, string> = bridged
    ? { others: "in the network", own: "only in its container" }
    : { others: "open to other hosts", own: "only to its own host" };
  return (["others", "own"] as const).flatMap((reach) => {
    const ports = listens.filter((listener) => reachOf(listener) === reach).sort(byPort);
    return ports.length > 0
      ? [`${headings[reach]}: ${ports.map(({ name, port }) => `${PORT_NAMES[name]} ${port}`).join(", ")}`]
      : [];
  });
}

/** The ports that an agent listens on. */
type Listening = AgentNode["listens"];

/** The ports that most agents of a role listen on. They are not repeated for each agent. */
export function usualListeners(agents: readonly AgentNode[], role: Role): Listening {
  const alike = new Map<string, { readonly listens: Listening; readonly times: number }>();
  for (const { listens } of agents.filter((agent) => agent.role === role)) {
    const key = portLines(listens, false).join();
    alike.set(key, { listens, times: (alike.get(key)?.times ?? 0) + 1 });
  }
  const [most] = [...alike.values()].sort((a, b) => b.times - a.times);
  return most?.listens ?? [];
}

/** How an agent's ports differ from the usual ones of its role, and which ports it publishes. */
export function particularPorts({ listens, published }: AgentNode, usual: Listening, bridged: boolean): string[] {
  const same = (one: Listener, other: Listener) =>
    one.name === other.name && one.port === other.port && reachOf(one) === reachOf(other);
  const own = listens.filter((listener) => !usual.some((other) => same(listener, other)));
  const missing = usual
    .filter(({ name }) => !listens.some((listener) => listener.name === name))
    .map(({ name }) => `no ${PORT_NAMES[name]}`);
  const outside = [...published].sort(byPort).map(({ name, port }) => `${PORT_NAMES[name]} ${port}`);
  return [
    ...portLines(own, bridged),
    ...(missing.length > 0 ? [missing.join(", ")] : []),
    ...(outside.length > 0 ? [`published: ${outside.join(", ")}`] : []),
  ];
}

/** Lines about joins; the rest are counted. */
const JOINS = 12;

/** `s1, s2 and s3 join each other`, and the joins of the other agents: a line for agents with the same targets. */
export function joinLines(joins: readonly Join[]): string[] {
  const joined = new Set(joins.map(({ to }) => to));
  const alike = new Map<
    string,
    { readonly from: string[]; readonly to: readonly string[]; readonly mutual: boolean }
  >();
  for (const [name, to] of targetsByAgent(joins)) {
    // An agent that others join has the same targets as they, except for itself.
    const mutual = joined.has(name);
    const all = mutual ? [...to, name].sort() : to;
    const group = alike.get(`${mutual} ${all}`) ?? { from: [], to: all, mutual };
    group.from.push(name);
    alike.set(`${mutual} ${all}`, group);
  }
  const lines = [...alike.values()]
    .sort((a, b) => Number(b.mutual) - Number(a.mutual))
    .map(({ from, to, mutual }) => {
      if (mutual && from.join() === to.join()) return `${listed(from)} join each other`;
      return from.length === 1
        ? `${from} joins ${listed(to.filter((name) => name !== from[0]))}`
        : `${listed(from)} join ${listed(to)}`;
    });
  return lines.length > JOINS ? [...lines.slice(0, JOINS), `and in ${lines.length - JOINS} more ways`] : lines;
}
