import { bracketed, isLoopback, isWildcard } from "./address";
import { type EffectivePorts, LOOPBACK, type PortName } from "./ports";

export interface EndpointProps {
  readonly network: "host" | "bridge";
  /** The host's address. */
  readonly address: string;
  /** The container's name. */
  readonly container: string;
  /** Client addresses, separated by spaces. Default loopback; in a bridge network every address of the container's own. */
  readonly client?: string;
  readonly ports: EffectivePorts;
  /** Ports of the host at which the ports of a container in a bridge network are published. */
  readonly publish?: Readonly<Partial<Record<PortName, number>>>;
  /** Whether plain HTTP is for the agent's own host, or container, alone. Default false. */
  readonly httpsOnly?: boolean;
}

/** Where an agent's clients reach it. */
export interface Endpoints {
  /** The client addresses, as -client takes them. */
  readonly client: string;
  /** The HTTP API from inside the container. */
  readonly local: string;
  /** The same by HTTPS; undefined when that is off. */
  readonly localHttps?: string;
  /** The API, by HTTPS where it is secured: from anywhere if the agent listens there, else from its own host, or its own bridge network. */
  readonly http: string;
  /** The API from another container on its host, or in its bridge network; undefined where it listens inside its own container alone. */
  readonly beside?: string;
  /** DNS, as address:port; undefined when it is off. */
  readonly dns?: string;
}

export function endpointsOf(props: EndpointProps): Endpoints {
  const { ports } = props;
  const client = props.client ?? (props.network === "bridge" ? "0.0.0.0" : "127.0.0.1");
  const own = bracketed(localAddress(client.split(/\s+/)));
  const local = `http://${props.httpsOnly ? LOOPBACK : own}:${ports.http}`;
  const localHttps = ports.https > 0 ? `https://${own}:${ports.https}` : undefined;
  const open = props.network === "bridge" || client.split(/\s+/).some((address) => !isLoopback(address));
  return {
    client,
    local,
    localHttps,
    http: !props.httpsOnly
      ? `http://${reach(props, client, "http")}`
      : open && ports.https > 0
        ? `https://${reach(props, client, "https")}`
        : local,
    beside: props.network === "bridge" ? besideContainer(props, client) : local,
    dns: ports.dns > 0 ? reach(props, client, "dns") : undefined,
  };
}

function localAddress(addresses: readonly string[]): string {
  const loopback = addresses.find(isLoopback);
  const wildcard = addresses.find(isWildcard);
  return loopback ?? (wildcard === "0.0.0.0" ? "127.0.0.1" : wildcard ? "::1" : (addresses[0] as string));
}

/** A container's loopback is its own. */
function besideContainer({ container, ports, httpsOnly }: EndpointProps, client: string): string | undefined {
  if (client.split(/\s+/).every(isLoopback)) return undefined;
  if (!httpsOnly) return `http://${container}:${ports.http}`;
  return ports.https > 0 ? `https://${container}:${ports.https}` : undefined;
}

function reach(
  { network, address, container, ports, publish }: EndpointProps,
  client: string,
  port: "http" | "https" | "dns",
): string {
  if (network === "bridge") {
    const published = publish?.[port];
    return published === undefined ? `${container}:${ports[port]}` : `${bracketed(address)}:${published}`;
  }
  const addresses = client.split(/\s+/);
  const reachable = addresses.some(isWildcard)
    ? address
    : (addresses.find((each) => !isLoopback(each)) ?? (addresses[0] as string));
  return `${bracketed(reachable)}:${ports[port]}`;
}
