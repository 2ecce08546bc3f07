import type { AgentDescription, Cluster, HostDescription } from "../../cluster/model";
import { located, type Problem, type Violation } from "../../cluster/problem";
import { listensOnPrivileged } from "../../consul/agent-config";
import type { DaemonInfo } from "../docker/container";
import type { StackState } from "../terraform/state";

/**
 * Settings of the file that a daemon cannot apply, or that its defaults contradict.
 * @param daemons what daemons tell of themselves, by their hosts' names
 */
export function contradictedSettings(cluster: Cluster, daemons: ReadonlyMap<string, DaemonInfo>): Problem[] {
  const violations = cluster.hosts.flatMap((host) => {
    const info = daemons.get(host.name);
    return info ? ofHost(cluster, host, info) : [];
  });
  return violations.map((violation) => located(violation, cluster.locate));
}

function ofHost({ agents, network }: Cluster, { name }: HostDescription, info: DaemonInfo): Violation[] {
  const here = agents.filter(({ host, decommission }) => host.name === name && !decommission);
  const options = info.SecurityOptions ?? [];
  const path = ["hosts", name];
  const found: Violation[] = [];
  const contradicts = (those: readonly AgentDescription[], what: string, hint: string): void => {
    if (those.length === 0) return;
    const message = `the Docker daemon of host "${name}" ${what}: ${those.map((agent) => agent.name).join(", ")}`;
    found.push({ code: "daemon-contradicts", path, message, hint });
  };
  const limiting = (key: "memory" | "cpus" | "cpuset") => here.filter(({ resources }) => resources[key] !== undefined);

  if (options.includes("name=userns") && network === "host" && here.length > 0)
    found.push({
      code: "daemon-unsuitable",
      path,
      message: `the Docker daemon of host "${name}" remaps user namespaces, and refuses containers on the host's network, where agents run`,
      hint: "remove `userns-remap` from its daemon.json; a cluster on a single host can have `network: bridge`",
    });
  if (options.includes("name=no-new-privileges"))
    contradicts(
      here.filter(({ ports }) => listensOnPrivileged(ports)),
      "has no-new-privileges as its default, so agents cannot listen on a port below 1024",
      "set another port in `ports`, or remove `no-new-privileges` from its daemon.json",
    );
  const LIMITS_HINT = "enable this control group on the host, or remove the limit from `resources`";
  if (!info.MemoryLimit || !info.SwapLimit)
    contradicts(
      limiting("memory"),
      `cannot limit ${info.MemoryLimit ? "swap" : "memory"}, and each plan has a change because of it`,
      LIMITS_HINT,
    );
  if (!info.CpuCfsQuota) contradicts(limiting("cpus"), "cannot limit CPUs", LIMITS_HINT);
  if (!info.CPUSet) contradicts(limiting("cpuset"), "cannot choose CPUs", LIMITS_HINT);
  return found;
}

/**
 * Options of agents' logs that the file does not set, and that plans therefore ignore: defaults of the daemons, or options
 * that the file had.
 */
export function keptLogOptions(cluster: Cluster, states: ReadonlyMap<string, StackState>): Problem[] {
  const agents = new Map(cluster.agents.map((agent) => [agent.name, agent]));
  const kept = new Map<string, string[]>();
  for (const { type, name, deposed, attributes } of [...states.values()].flatMap(({ resources }) => resources)) {
    const agent = agents.get(name);
    if (type !== "docker_container" || deposed || !agent || agent.log.driver !== attributes.log_driver) continue;
    const set = agent.log.options ?? {};
    // Without options in the file, a plan compares none.
    if (Object.keys(set).length === 0) continue;
    for (const [option, value] of Object.entries((attributes.log_opts ?? {}) as Record<string, string>))
      if (!Object.hasOwn(set, option))
        kept.set(`${option}=${value}`, [...(kept.get(`${option}=${value}`) ?? []), name]);
  }
  if (kept.size === 0) return [];
  const options = [...kept].map(([option, names]) => `${option} (${names.join(", ")})`).join(", ");
  const violation: Violation = {
    code: "log-options-kept",
    path: [],
    message: `agents' logs have options that the file does not set: ${options}`,
    hint: "they are defaults of their Docker daemons, or the file had them; a deploy leaves them. To change one, set it under `log`",
  };
  return [located(violation, cluster.locate)];
}
