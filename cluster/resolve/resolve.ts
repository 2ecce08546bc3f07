import { canonical, family, gossipAddress, isDnsName, isLoopback, whyUnreachable } from "../../consul/address";
import { mergeConfig } from "../../consul/config";
import { effectivePorts, type Role } from "../../consul/ports";
import type { Stage } from "../../consul/security";
import type { AgentEntry, ParsedClusterFile, Settings } from "../file/schema";
import type { AgentDescription, HostDescription, JoinTarget } from "../model";
import type { KeyPath, Violation } from "../problem";
import { didYouMean } from "../suggest";
import { daemonOf } from "./daemon";
import { securityOf } from "./security";

/** A cluster half way: resolved as far as its names go, with what did not resolve. */
export interface Draft {
  readonly file: ParsedClusterFile;
  readonly hosts: readonly HostDescription[];
  readonly agents: readonly AgentDescription[];
  readonly bootstrapExpect: number;
  readonly violations: readonly Violation[];
}

/** Up to this many servers everybody joins all of them; above, the file names whom, so that growing restarts nobody. */
export const JOIN_ALL_UP_TO = 3;

export function resolveCluster(file: ParsedClusterFile): Draft {
  const violations: Violation[] = [];
  const stage = securityOf(file)?.stage ?? "off";
  const hosts = resolveHosts(file, violations);
  const entries = (["server", "client"] as const).flatMap((role) =>
    file[`${role}s`].map((entry, index) => ({
      role,
      path: [`${role}s`, index] as KeyPath,
      entry: (typeof entry === "string" ? { name: entry } : entry) as AgentEntry,
    })),
  );
  const servers = entries.flatMap(({ role, entry }) => (role === "server" ? [entry.name] : [])).sort();
  const toJoin = joinResolver(file, new Set(entries.map(({ entry }) => entry.name)), hosts, violations);
  const joinOfAll = toJoin(file.join ?? servers.slice(0, JOIN_ALL_UP_TO), ["join"]);

  const agents = entries.flatMap(({ role, path, entry }) => {
    const hostName = entry.host ?? entry.name;
    const host = hosts.get(hostName);
    if (!host) {
      if (!Object.hasOwn(file.hosts, hostName)) {
        violations.push({
          code: "unknown-host",
          path: entry.host ? [...path, "host"] : path,
          message: `${role} "${entry.name}" is on host "${hostName}", which is not among the hosts${didYouMean(hostName, Object.keys(file.hosts))}`,
          hint: "list the host under `hosts:`, or say `host:` where the agent runs",
        });
      }
      return [];
    }
    const {
      name,
      host: _,
      node = name,
      container = name,
      hostname = name,
      data = `${container}-data`,
      join,
      decommission = false,
      ...own
    } = entry;
    const targets = join ? toJoin(join, [...path, "join"]) : joinOfAll;
    const settings = withHttps(mergeSettings(file, own), role, stage);
    const gossip = {
      address: gossipAddress(settings, file.network === "bridge" ? container : host.address),
      port: effectivePorts(role, settings.ports).serf_lan,
    };
    const others = targets.filter((target) =>
      "agent" in target ? target.agent !== name : target.address !== gossip.address || target.port !== gossip.port,
    );
    return [{ role, path, name, host, node, container, hostname, data, join: others, decommission, settings, gossip }];
  });
  return {
    file,
    hosts: [...hosts.values()],
    agents,
    bootstrapExpect: file.bootstrap_expect ?? defaultExpect(servers.length),
    violations,
  };
}

function resolveHosts(file: ParsedClusterFile, violations: Violation[]): Map<string, HostDescription> {
  const hosts = new Map<string, HostDescription>();
  for (const [name, entry] of Object.entries(file.hosts)) {
    const { address: written, group, daemon = file.daemon } = typeof entry === "string" ? { address: entry } : entry;
    const address = canonical(written);
    if (daemon) {
      hosts.set(name, { name, address, group, daemon: daemonOf(daemon, { name, address }) });
    } else {
      violations.push({
        code: "missing-key",
        path: ["hosts", name],
        message: `host "${name}" has no Docker daemon`,
        hint: "give the host a `daemon:`, or all hosts one, as in `daemon: ssh://root@{address}`",
      });
    }
  }
  return hosts;
}

/** A name to join is an agent's, or a host's (a departed server's, say), or an address that Consul can look up. */
function joinResolver(
  file: ParsedClusterFile,
  agents: ReadonlySet<string>,
  hosts: ReadonlyMap<string, HostDescription>,
  violations: Violation[],
) {
  const port = effectivePorts("server", file.ports).serf_lan;
  const soleAddress = file.network === "host" && hosts.size === 1 ? [...hosts.values()][0]?.address : undefined;
  return (names: readonly string[], path: KeyPath): JoinTarget[] => {
    const spelled = names.map(canonical);
    return [...new Set(spelled)].sort().flatMap((name): JoinTarget[] => {
      const at = [...path, spelled.indexOf(name)];
      const refuse = (why: string) =>
        violations.push({
          code: "invalid-address",
          path: at,
          message: `${name} ${why}: an agent that joins it would join itself, or nobody`,
          hint: "name a server of this file, or an address by which every agent reaches it",
        });
      if (agents.has(name)) return [{ agent: name }];
      const host = hosts.get(name);
      if (host) {
        if (file.network === "bridge" && isLoopback(host.address))
          refuse(`is ${host.address}, which in a bridge network is each container itself`);
        return [{ address: host.address, port }];
      }
      if (Object.hasOwn(file.hosts, name)) return []; // already said: it has no daemon
      if (family(name) || isDnsName(name)) {
        const why = family(name) && whyUnreachable(name, { loopbackAllowed: name === soleAddress });
        if (why) refuse(why);
        return [{ address: name, port }];
      }
      violations.push({
        code: "unknown-join",
        path: at,
        message: `"${name}" is neither an agent nor a host of this file, nor an IP address or a full DNS name${didYouMean(name, [...agents, ...hosts.keys()])}`,
        hint: "name a server of this file, or an address",
      });
      return [];
    });
  };
}

/** A majority of the whole, and the same for 3 and 5 servers, so that growing touches no running one. */
function defaultExpect(servers: number): number {
  return Math.max(Math.floor(servers / 2) + 1, Math.min(servers, 3));
}

function mergeSettings(cluster: Settings, agent: Settings): Settings {
  const { image, bind_addr, advertise_addr, client_addr, ui, restart, log, resources, ready_timeout, publish } = {
    ...cluster,
    ...agent,
  };
  return {
    ...{ image, ui, restart, log, resources, ready_timeout, publish },
    bind_addr: bind_addr && canonical(bind_addr),
    advertise_addr: advertise_addr && canonical(advertise_addr),
    client_addr: client_addr?.trim().split(/\s+/).map(canonical).join(" "),
    ports: { ...cluster.ports, ...agent.ports },
    dns: { ...cluster.dns, ...agent.dns },
    labels: { ...cluster.labels, ...agent.labels },
    config: mergeConfig(cluster.config ?? {}, agent.config ?? {}),
    flags: [...(cluster.flags ?? []), ...(agent.flags ?? [])],
    services: [...(cluster.services ?? []), ...(agent.services ?? [])],
    checks: [...(cluster.checks ?? []), ...(agent.checks ?? [])],
  };
}

const HTTPS_PORT = 8501;

/** A secured agent has HTTPS, as soon as it has a certificate. */
function withHttps(settings: Settings, role: Role, stage: Stage): Settings {
  if (stage === "off" || (stage === "permissive" && role === "client")) return settings;
  return { ...settings, ports: { https: HTTPS_PORT, ...settings.ports } };
}
