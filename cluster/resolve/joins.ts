import { canonical, family, hostAndPort, isDnsName, isLoopback, whyUnreachable } from "../../consul/address";
import { effectivePorts } from "../../consul/ports";
import type { ParsedClusterFile } from "../file/schema";
import type { HostDescription, JoinTarget } from "../model";
import type { KeyPath, Violation } from "../problem";
import { didYouMean } from "../suggest";

/** What the names under `join:` can refer to. */
export interface JoinContext {
  readonly file: ParsedClusterFile;
  /** The agents' names. */
  readonly agents: ReadonlySet<string>;
  readonly hosts: ReadonlyMap<string, HostDescription>;
  readonly violations: Violation[];
}

/**
 * Resolves names under `join:`: of agents, of hosts (a decommissioned server's, for example), or addresses that Consul
 * can look up.
 */
export function resolveJoin(names: readonly string[], path: KeyPath, context: JoinContext): JoinTarget[] {
  const spelled = names.map(canonical);
  return [...new Set(spelled)].sort().flatMap((name) => targetOf(name, [...path, spelled.indexOf(name)], context));
}

function targetOf(name: string, path: KeyPath, { file, agents, hosts, violations }: JoinContext): JoinTarget[] {
  const port = effectivePorts("server", file.ports ?? {}).serf_lan;
  const unreachable = (why: string) =>
    violations.push({
      code: "invalid-address",
      path,
      message: `${name} ${why}: an agent that joins it would join itself, or no agent`,
      hint: "name a server of this file, or an address by which every agent reaches it",
    });
  if (agents.has(name)) return [{ agent: name }];
  const host = hosts.get(name);
  if (host) {
    if (file.network === "bridge" && isLoopback(host.address))
      unreachable(`is ${host.address}, which in a bridge network is each container itself`);
    return [{ address: host.address, port }];
  }
  if (Object.hasOwn(file.hosts, name)) return []; // resolveHosts has reported that it has no daemon
  const at = hostAndPort(name);
  if (at && (family(at.host) || isDnsName(at.host))) {
    const address = canonical(at.host);
    const why = family(address) && whyUnreachable(address, { loopbackAllowed: address === soleAddress(file, hosts) });
    if (why) unreachable(why);
    return [{ address, port: at.port ?? port }];
  }
  if (/\bprovider=/.test(name)) {
    violations.push({
      code: "unknown-join",
      path,
      message: "cloud auto-join is not supported: a pre-stop check could not know which servers an agent joins",
      hint: "name servers of this file, or the addresses of others; `hosts:` has the addresses already",
    });
    return [];
  }
  violations.push({
    code: "unknown-join",
    path,
    message: `"${name}" is neither an agent nor a host of this file, nor an IP address or a full DNS name, with or without a port${didYouMean(name, [...agents, ...hosts.keys()])}`,
    hint: "name a server of this file, or an address",
  });
  return [];
}

/** The address of the only host, which may be a loopback address. */
function soleAddress({ network }: ParsedClusterFile, hosts: JoinContext["hosts"]): string | undefined {
  const [only, ...others] = hosts.values();
  return network === "host" && others.length === 0 ? only?.address : undefined;
}
