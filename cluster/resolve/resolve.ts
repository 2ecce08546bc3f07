import { isWildcard } from "../../consul/address";
import type { Role } from "../../consul/ports";
import type { Stage } from "../../consul/security";
import type { AgentEntry, ParsedClusterFile, Settings } from "../file/schema";
import type { AgentDescription, Draft, JoinTarget, Network } from "../model";
import type { KeyPath, Violation } from "../problem";
import { didYouMean } from "../suggest";
import { mergeSettings, resolveAgent } from "./agents";
import { bootstrapServers, DEFAULTS } from "./defaults";
import { resolveHosts } from "./hosts";
import { type JoinContext, resolveJoin } from "./joins";
import { metricsOf } from "./metrics";
import { securityOf, stageOf } from "./security";

interface Entry {
  readonly role: Role;
  readonly path: KeyPath;
  readonly entry: AgentEntry;
}

/** Resolves the names of a cluster file, merges its settings, and applies the defaults of its agents. */
export function resolveCluster(file: ParsedClusterFile): Draft {
  const violations: Violation[] = [];
  const security = securityOf(file);
  const hosts = resolveHosts(file, violations);
  const entries = [...entriesOf(file, "server"), ...entriesOf(file, "client")];
  const servers = file.servers.map((server) => (typeof server === "string" ? server : server.name)).sort();
  const names = new Set(entries.map(({ entry }) => entry.name));
  const context: JoinContext = { file, agents: names, hosts, violations };
  const joinOfAll = resolveJoin(file.join ?? servers.slice(0, DEFAULTS.joinAllUpTo), ["join"], context);
  return {
    file,
    hosts: [...hosts.values()],
    agents: entries.flatMap((entry) => resolveEntry(entry, joinOfAll, stageOf(security), context)),
    bootstrapExpect: file.bootstrap_expect ?? bootstrapServers(servers.length),
    security,
    stage: stageOf(security),
    violations,
  };
}

/**
 * Addresses as they are on a host: `{address}` is the host's. An agent that binds to every address advertises the
 * host's, because Consul would choose a private one.
 */
function onHost(settings: Settings, network: Network, address: string): Settings {
  const placed = (text: string | undefined) => text?.replace(/(?<!\{)\{address\}(?!\})/g, address);
  const { bind_addr, advertise_addr, client_addr } = settings;
  const bind = placed(bind_addr);
  const ofHost = network === "host" && bind !== undefined && isWildcard(bind) ? address : undefined;
  return {
    ...settings,
    bind_addr: bind,
    advertise_addr: placed(advertise_addr) ?? ofHost,
    client_addr: placed(client_addr),
  };
}

const entriesOf = (file: ParsedClusterFile, role: Role): Entry[] =>
  file[`${role}s`].map((entry, index) => ({
    role,
    path: [`${role}s`, index],
    entry: (typeof entry === "string" ? { name: entry } : entry) as AgentEntry,
  }));

/** An agent, or nothing if its host is unknown. */
function resolveEntry(
  { role, path, entry }: Entry,
  joinOfAll: readonly JoinTarget[],
  stage: Stage,
  context: JoinContext,
): AgentDescription[] {
  const { file, hosts, violations } = context;
  const { name, host: hostName = name, node, container, hostname, data, join, decommission = false, ...own } = entry;
  const host = hosts.get(hostName);
  if (!host) {
    if (!Object.hasOwn(file.hosts, hostName)) {
      violations.push({
        code: "unknown-host",
        path: entry.host ? [...path, "host"] : path,
        message: `${role} "${name}" is on host "${hostName}", which is not among the hosts${didYouMean(hostName, Object.keys(file.hosts))}`,
        hint: "list the host under `hosts:`, or set the agent's `host:`",
      });
    }
    return [];
  }
  const targets = join ? resolveJoin(join, [...path, "join"], context) : joinOfAll;
  const settings = onHost(mergeSettings(file, own), file.network, host.address);
  const agent = resolveAgent({
    role,
    name,
    datacenter: file.datacenter,
    node,
    container,
    hostname,
    data,
    settings,
    network: file.network,
    address: host.address,
    stage,
    metrics: metricsOf(file) !== undefined,
  });
  const { address, port } = agent.gossip;
  const others = targets.filter((target) =>
    "agent" in target ? target.agent !== name : target.address !== address || target.port !== port,
  );
  return [{ ...agent, name, host, join: others, decommission, fileSettings: settings, path }];
}
