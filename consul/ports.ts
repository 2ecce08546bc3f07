import { isWildcard } from "./address";
import { defined } from "./config";

export type Role = "server" | "client";

/** Consul's names of an agent's ports. */
export const PORT_NAMES = ["dns", "http", "https", "grpc", "grpc_tls", "serf_lan", "serf_wan", "server"] as const;
export type PortName = (typeof PORT_NAMES)[number];
/** Ports of an agent that differ from Consul's defaults; -1 is off. */
export type Ports = Readonly<Partial<Record<PortName, number>>>;
/** Every port of an agent; -1 is off. */
export type EffectivePorts = Readonly<Record<PortName, number>>;

/** Consul's defaults (developer.hashicorp.com/consul/docs/reference/architecture/ports). */
export const DEFAULT_PORTS: EffectivePorts = {
  dns: 8600,
  http: 8500,
  https: -1,
  grpc: -1,
  grpc_tls: -1,
  serf_lan: 8301,
  serf_wan: 8302,
  server: 8300,
};
/** Since Consul 1.14 a server listens for gRPC with TLS unless told not to. */
export const SERVER_GRPC_TLS = 8503;

export function effectivePorts(role: Role, ports: Ports = {}): EffectivePorts {
  return { ...DEFAULT_PORTS, ...(role === "server" && { grpc_tls: SERVER_GRPC_TLS }), ...defined(ports) };
}

/** Ports on the agent's client addresses; the others are on its bind address. */
const CLIENT_PORTS: readonly PortName[] = ["dns", "http", "https", "grpc", "grpc_tls"];
const SERVER_ONLY_PORTS: readonly PortName[] = ["serf_wan", "server"];

/** Where plain HTTP listens if other machines use HTTPS. */
export const LOOPBACK = "127.0.0.1";

export interface Listener {
  readonly name: PortName;
  readonly port: number;
  readonly addresses: readonly string[];
}

export interface ListenAddresses {
  readonly client: readonly string[];
  /** The address by which other agents reach this one. */
  readonly bind: string;
  /** Whether plain HTTP listens on loopback only. */
  readonly httpsOnly: boolean;
  /** The addresses of HTTPS. @default those of the client */
  readonly https?: readonly string[];
}

/** An agent's listeners: port and addresses of each. */
export function listeners(role: Role, ports: EffectivePorts, given: ListenAddresses): Listener[] {
  const { client, bind, httpsOnly, https = client } = given;
  const addresses = (name: PortName) =>
    !CLIENT_PORTS.includes(name)
      ? [bind]
      : name === "https"
        ? https
        : name === "http" && httpsOnly
          ? [LOOPBACK]
          : client;
  return PORT_NAMES.filter((name) => ports[name] > 0 && (role === "server" || !SERVER_ONLY_PORTS.includes(name))).map(
    (name) => ({ name, port: ports[name], addresses: addresses(name) }),
  );
}

/** A port that an agent occupies. */
export interface OccupiedPort {
  /** A port in the agent's own network, or a port of the host at which one of those is published. */
  readonly section: "ports" | "publish";
  readonly name: PortName;
  readonly port: number;
  readonly addresses: readonly string[];
  /** Whether the port is in the network of the agent's own container, not in its host's. */
  readonly inContainer: boolean;
}

export interface OccupyingAgent {
  readonly role: Role;
  readonly ports: EffectivePorts;
  readonly clientAddresses: readonly string[];
  readonly bindAddr?: string;
  readonly publish: Readonly<Partial<Record<PortName, number>>>;
  readonly httpsOnly: boolean;
  readonly httpsAddresses?: readonly string[];
}

/** Where an agent in a bridge network binds: its container has one network. */
const EVERY_ADDRESS = "0.0.0.0";

/** An agent's listeners, and in a bridge network the ports of its host at which they are published. */
export function occupiedPorts(
  { role, ports, clientAddresses, bindAddr = EVERY_ADDRESS, publish, httpsOnly, httpsAddresses }: OccupyingAgent,
  host: { readonly address: string; readonly bridged: boolean },
): OccupiedPort[] {
  const own = listeners(role, ports, {
    client: clientAddresses,
    bind: bindAddr,
    httpsOnly,
    https: httpsAddresses,
  }).map((listener): OccupiedPort => ({ section: "ports", inContainer: host.bridged, ...listener }));
  if (!host.bridged) return own;
  const published = Object.entries(publish) as [PortName, number][];
  return [
    ...own,
    ...published.map(
      ([name, port]): OccupiedPort => ({
        section: "publish",
        inContainer: false,
        name,
        port,
        addresses: [host.address],
      }),
    ),
  ];
}

/** Whether two listeners on one port are in each other's way. */
export const overlap = (first: readonly string[], second: readonly string[]): boolean =>
  first.some((a) => second.some((b) => a === b || isWildcard(a) || isWildcard(b)));
