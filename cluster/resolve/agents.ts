import { addressesIn, canonical, gossipAddress, isWildcard } from "../../consul/address";
import { defined, mergeConfig } from "../../consul/config";
import { dataVolume } from "../../consul/contract";
import { endpointsOf } from "../../consul/endpoints";
import { effectivePorts, type Ports, type Role } from "../../consul/ports";
import type { Stage } from "../../consul/security";
import type { Settings } from "../file/schema";
import type { AgentSettings, Network } from "../model";
import { DEFAULTS } from "./defaults";

/** The cluster's settings, with an agent's own merged into them. An agent's own setting takes precedence. */
export function mergeSettings(cluster: Settings, agent: Settings): Settings {
  const { image, ui, restart, log, resources, ready_timeout, publish } = { ...cluster, ...agent };
  const { bind_addr, advertise_addr, client_addr } = { ...cluster, ...agent };
  return {
    image,
    ui,
    restart,
    log,
    resources,
    ready_timeout,
    publish,
    bind_addr: bind_addr && canonical(bind_addr),
    advertise_addr: advertise_addr && canonical(advertise_addr),
    client_addr: client_addr && addressesIn(client_addr).map(canonical).join(" "),
    ports: { ...cluster.ports, ...agent.ports },
    dns: { ...cluster.dns, ...agent.dns },
    labels: { ...cluster.labels, ...agent.labels },
    config: mergeConfig(cluster.config ?? {}, agent.config ?? {}),
    flags: [...(cluster.flags ?? []), ...(agent.flags ?? [])],
    services: [...(cluster.services ?? []), ...(agent.services ?? [])],
    checks: [...(cluster.checks ?? []), ...(agent.checks ?? [])],
  };
}

/** An agent as a cluster file or a program describes it. */
export interface AgentInput {
  readonly role: Role;
  readonly name: string;
  readonly datacenter?: string;
  readonly node?: string;
  readonly container?: string;
  readonly hostname?: string;
  readonly data?: string;
  readonly settings: Settings;
  readonly network: Network;
  /** The host's address. */
  readonly address: string;
  readonly stage: Stage;
  /** Whether the agent exports its metrics. */
  readonly metrics?: boolean;
}

/** Applies every default of an agent's settings, for cluster files and programs alike. */
export function resolveAgent(input: AgentInput): AgentSettings {
  const { role, name, settings, network, address, stage, metrics = false } = input;
  const {
    node = name,
    container = name,
    hostname = name,
    data = dataVolume(container),
    datacenter = DEFAULTS.datacenter,
  } = input;
  const { client_addr = DEFAULTS.clientAddr[network], publish = {} } = settings;
  const { bind_addr: bindAddr = network === "bridge" ? undefined : address } = settings;
  const { advertise_addr: advertiseAddr } = settings;
  const configuredPorts = portsInConfig(settings.ports ?? {}, role, stage);
  const ports = effectivePorts(role, configuredPorts);
  const clientAddresses = addressesIn(client_addr);
  const httpsOnly = stage === "strict";
  return {
    role,
    datacenter,
    node,
    container,
    hostname,
    data,
    image: settings.image ?? DEFAULTS.image,
    bindAddr,
    advertiseAddr,
    clientAddresses,
    ports,
    configuredPorts,
    publish: defined(publish),
    endpoints: endpointsOf({ network, address, container, clientAddresses, ports, publish, httpsOnly }),
    gossip: {
      address: gossipAddress({ advertiseAddr, bindAddr }, network === "bridge" ? container : address),
      port: ports.serf_lan,
    },
    stage,
    httpsOnly,
    metrics,
    httpsAddresses: metrics ? scrapedAddresses(clientAddresses, network, address, ports.https) : undefined,
    ui: settings.ui ?? DEFAULTS.ui,
    restart: settings.restart ?? DEFAULTS.restart,
    log: settings.log ?? DEFAULTS.log,
    resources: settings.resources ?? {},
    dns: settings.dns ?? {},
    readyTimeout: settings.ready_timeout ?? DEFAULTS.readyTimeout,
    labels: settings.labels ?? {},
    config: settings.config ?? {},
    flags: settings.flags ?? [],
    services: settings.services ?? [],
    checks: settings.checks ?? [],
  };
}

/**
 * HTTPS demands a certificate, so for metrics it listens at the host's address too, and nothing else does. In a bridge
 * network, its port is published instead.
 */
function scrapedAddresses(
  client: readonly string[],
  network: Network,
  address: string,
  https: number,
): readonly string[] | undefined {
  const reached = client.some((each) => each === address || isWildcard(each));
  return network === "bridge" || https <= 0 || reached ? undefined : [...client, address];
}

/** Whether security gives an agent a certificate. */
export const hasCertificate = (role: Role, stage: Stage): boolean =>
  stage !== "off" && (stage !== "permissive" || role === "server");

/**
 * An agent listens for HTTPS as soon as it has a certificate: a server from stage `permissive` on, a client agent from
 * `outgoing` on.
 */
function portsInConfig(ports: Ports, role: Role, stage: Stage): Ports {
  return hasCertificate(role, stage) ? { https: DEFAULTS.httpsPort, ...defined(ports) } : defined(ports);
}
