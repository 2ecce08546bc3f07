import type { PortName, Ports } from "../cluster/file/schema";

export type Role = "server" | "client";
/** Every port of an agent; -1 is off. */
export type EffectivePorts = Readonly<Record<PortName, number>>;

/** Consul's defaults (developer.hashicorp.com/consul/docs/reference/architecture/ports). */
const DEFAULTS: EffectivePorts = {
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
const SERVER_GRPC_TLS = 8503;

export function effectivePorts(role: Role, ports: Ports = {}): EffectivePorts {
  return { ...DEFAULTS, ...(role === "server" && { grpc_tls: SERVER_GRPC_TLS }), ...defined(ports) };
}

/** Of a mapping, what says something: a program may write `key: undefined` for nothing. */
export function defined<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}

/** Ports on the agent's client addresses; the others are on its bind address. */
const CLIENT_PORTS: readonly PortName[] = ["dns", "http", "https", "grpc", "grpc_tls"];
const SERVER_ONLY_PORTS: readonly PortName[] = ["serf_wan", "server"];

/** Where plain HTTP listens when others have HTTPS. */
export const OWN_HTTP = "127.0.0.1";

export interface Listener {
  readonly name: PortName;
  readonly port: number;
  readonly addresses: readonly string[];
}

export interface ListenAddresses {
  readonly client: readonly string[];
  /** By which others reach the agent. */
  readonly bind: string;
  /** Whether plain HTTP is for the agent's own host, or container, alone. */
  readonly httpsOnly: boolean;
}

/** What an agent listens on, and where. */
export function listeners(role: Role, ports: EffectivePorts, { client, bind, httpsOnly }: ListenAddresses): Listener[] {
  const addresses = (name: PortName) =>
    !CLIENT_PORTS.includes(name) ? [bind] : name === "http" && httpsOnly ? [OWN_HTTP] : client;
  return (Object.keys(DEFAULTS) as PortName[])
    .filter((name) => ports[name] > 0 && (role === "server" || !SERVER_ONLY_PORTS.includes(name)))
    .map((name) => ({ name, port: ports[name], addresses: addresses(name) }));
}
