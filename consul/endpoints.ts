import { bracketed, isLoopback, isTemplate, isWildcard } from "./address";
import { KV_PREFIX } from "./contract";
import { type EffectivePorts, LOOPBACK, type PortName, type Role } from "./ports";

const NEEDED = [`/v1/kv/${KV_PREFIX}`, "/v1/status/leader"];

/** The paths of an agent's API without which no deploy of the agent ends. */
export const NEEDED_ENDPOINTS: Readonly<Record<Role, readonly string[]>> = {
  client: NEEDED,
  server: [...NEEDED, "/v1/agent/self", "/v1/operator/raft/configuration"],
};

export interface EndpointProps {
  readonly network: "host" | "bridge";
  /** The host's address. */
  readonly address: string;
  /** The container's name. */
  readonly container: string;
  /** The addresses of -client. */
  readonly clientAddresses: readonly string[];
  readonly ports: EffectivePorts;
  /** Ports of the host at which the ports of a container in a bridge network are published. */
  readonly publish?: Readonly<Partial<Record<PortName, number>>>;
  /** Whether plain HTTP listens on loopback only. */
  readonly httpsOnly: boolean;
}

/** An agent's addresses, as its users reach them. */
export interface Endpoints {
  /** The HTTP API from inside the container. */
  readonly local: string;
  /** The HTTPS API from inside the container; undefined if HTTPS is off. */
  readonly localHttps?: string;
  /**
   * The API, by HTTPS if plain HTTP listens on loopback only. If the agent listens on loopback only, it is the address
   * on the agent's own host; in a bridge network, the address in that network.
   */
  readonly http: string;
  /**
   * The API from another container on the same host, or in the same bridge network. Undefined if the agent listens only
   * inside its container.
   */
  readonly beside?: string;
  /** DNS, as address:port; undefined if it is off. */
  readonly dns?: string;
}

export function endpointsOf(given: EndpointProps): Endpoints {
  // Only Consul knows the address of a template.
  const known = given.clientAddresses.filter((address) => !isTemplate(address));
  const props = known.length === 0 ? given : { ...given, clientAddresses: known };
  const { network, ports, clientAddresses, httpsOnly } = props;
  const own = bracketed(localAddress(clientAddresses));
  const local = `http://${httpsOnly ? LOOPBACK : own}:${ports.http}`;
  return {
    local,
    localHttps: ports.https > 0 ? `https://${own}:${ports.https}` : undefined,
    http: publicApi(props) ?? local,
    beside: network === "bridge" ? besideContainer(props) : local,
    dns: ports.dns > 0 ? reach(props, "dns") : undefined,
  };
}

/** The API as other machines, or containers, reach it; undefined if only the agent's own host reaches it. */
function publicApi(props: EndpointProps): string | undefined {
  const { network, ports, clientAddresses, httpsOnly } = props;
  if (!httpsOnly) return `http://${reach(props, "http")}`;
  const open = network === "bridge" || clientAddresses.some((address) => !isLoopback(address));
  return open && ports.https > 0 ? `https://${reach(props, "https")}` : undefined;
}

function localAddress(addresses: readonly string[]): string {
  const loopback = addresses.find(isLoopback);
  if (loopback !== undefined) return loopback;
  const wildcard = addresses.find(isWildcard);
  if (wildcard === undefined) return addresses[0] as string;
  return wildcard === "0.0.0.0" ? "127.0.0.1" : "::1";
}

/** Each container has a loopback of its own. */
function besideContainer({ container, clientAddresses, ports, httpsOnly }: EndpointProps): string | undefined {
  if (clientAddresses.every(isLoopback)) return undefined;
  if (!httpsOnly) return `http://${container}:${ports.http}`;
  return ports.https > 0 ? `https://${container}:${ports.https}` : undefined;
}

function reach(props: EndpointProps, port: "http" | "https" | "dns"): string {
  const { network, address, container, clientAddresses, ports, publish } = props;
  if (network === "bridge") {
    const published = publish?.[port];
    return published === undefined ? `${container}:${ports[port]}` : `${bracketed(address)}:${published}`;
  }
  const notLoopback = clientAddresses.find((each) => !isLoopback(each)) ?? (clientAddresses[0] as string);
  return `${bracketed(clientAddresses.some(isWildcard) ? address : notLoopback)}:${ports[port]}`;
}
