import { isLoopback } from "../../consul/address";
import type { Listener, PortName, Role } from "../../consul/ports";
import type { Stage } from "../../consul/security";
import { type AgentNode, type Join, targetsByAgent } from "../diagram/graph";

/** `1 client`, `37 clients` */
export const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;

/** How many names stand in a sentence before the rest are counted. */
const NAMES = 6;

/** `a, b, c and 37 more` */
export function listed(names: readonly string[]): string {
  if (names.length > NAMES + 1) return `${names.slice(0, NAMES).join(", ")} and ${names.length - NAMES} more`;
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** `3 servers and 1 client` */
export function rolesText(agents: readonly Pick<AgentNode, "role">[]): string {
  const of = (role: Role) => agents.filter((agent) => agent.role === role).length;
  const parts = (["server", "client"] as const).flatMap((role) => (of(role) > 0 ? [count(of(role), role)] : []));
  return parts.length > 0 ? parts.join(" and ") : "no agents";
}

export function securityText(stage: Stage): string {
  if (stage === "off") return "security off";
  return stage === "strict" ? "security on: TLS, gossip encryption, ACLs" : `security being turned on: stage ${stage}`;
}

const PORT_WORDS: Record<PortName, string> = {
  serf_lan: "gossip",
  serf_wan: "WAN gossip",
  server: "RPC",
  http: "HTTP",
  https: "HTTPS",
  grpc: "gRPC",
  grpc_tls: "gRPC with TLS",
  dns: "DNS",
};
const PORT_ORDER = Object.keys(PORT_WORDS);
const byPort = (a: { name: PortName }, b: { name: PortName }): number =>
  PORT_ORDER.indexOf(a.name) - PORT_ORDER.indexOf(b.name);

/** Who reaches a port: other hosts (in a bridge network, its other containers), or the agent's own host (its container) alone. */
type Reach = "others" | "own";
const reachOf = ({ addresses }: Listener): Reach => (addresses.every(isLoopback) ? "own" : "others");

/** `open: gossip 8301, RPC 8300` */
export function portLines(listens: readonly Listener[], bridged: boolean): string[] {
  const words: Record<Reach, string> = bridged
    ? { others: "in the network", own: "in its container alone" }
    : { others: "open to other hosts", own: "to its own host alone" };
  return (["others", "own"] as const).flatMap((reach) => {
    const ports = listens.filter((listener) => reachOf(listener) === reach).sort(byPort);
    return ports.length > 0
      ? [`${words[reach]}: ${ports.map(({ name, port }) => `${PORT_WORDS[name]} ${port}`).join(", ")}`]
      : [];
  });
}

/** What an agent listens for. */
type Listening = AgentNode["listens"];

/** What most agents of a role listen for, so that it need not stand with each of them. */
export function usualListeners(agents: readonly AgentNode[], role: Role): Listening {
  const alike = new Map<string, { readonly listens: Listening; readonly times: number }>();
  for (const { listens } of agents.filter((agent) => agent.role === role)) {
    const key = portLines(listens, false).join();
    alike.set(key, { listens, times: (alike.get(key)?.times ?? 0) + 1 });
  }
  const [most] = [...alike.values()].sort((a, b) => b.times - a.times);
  return most?.listens ?? [];
}

/** What is particular to an agent's ports: where it is not like the others of its role, and what it publishes. */
export function particularPorts({ listens, published }: AgentNode, usual: Listening, bridged: boolean): string[] {
  const same = (one: Listener, other: Listener) =>
    one.name === other.name && one.port === other.port && reachOf(one) === reachOf(other);
  const own = listens.filter((listener) => !usual.some((other) => same(listener, other)));
  const missing = usual
    .filter(({ name }) => !listens.some((listener) => listener.name === name))
    .map(({ name }) => `no ${PORT_WORDS[name]}`);
  const outside = [...published].sort(byPort).map(({ name, port }) => `${PORT_WORDS[name]} ${port}`);
  return [
    ...portLines(own, bridged),
    ...(missing.length > 0 ? [missing.join(", ")] : []),
    ...(outside.length > 0 ? [`published: ${outside.join(", ")}`] : []),
  ];
}

/** Kinds of joining that stand in words before the rest are counted. */
const JOINS = 12;

/** `s1, s2 and s3 join each other`, and who else joins whom: agents with the same targets together. */
export function joinLines(joins: readonly Join[]): string[] {
  const joined = new Set(joins.map(({ to }) => to));
  const alike = new Map<
    string,
    { readonly from: string[]; readonly to: readonly string[]; readonly mutual: boolean }
  >();
  for (const [name, to] of targetsByAgent(joins)) {
    // Of those that are joined themselves, each leaves out itself alone.
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
