import type { Cluster, HostDescription } from "../../cluster/model";
import { located, type Problem, type Violation } from "../../cluster/problem";
import { listensOnPrivileged } from "../../consul/agent-config";
import type { StackState } from "../terraform/state";

/**
 * Settings of the file that defaults of hosts' daemons contradict.
 * @param securityOptions of each daemon, as `docker info` lists them, by the host's name
 */
export function contradictedSettings(
  cluster: Cluster,
  securityOptions: ReadonlyMap<string, readonly string[]>,
): Problem[] {
  const violations = cluster.hosts.flatMap((host) => ofHost(cluster, host, securityOptions.get(host.name) ?? []));
  return violations.map((violation) => located(violation, cluster.locate));
}

function ofHost({ agents, network }: Cluster, { name }: HostDescription, options: readonly string[]): Violation[] {
  const here = agents.filter(({ host, decommission }) => host.name === name && !decommission);
  const path = ["hosts", name];
  const found: Violation[] = [];
  if (options.includes("name=userns") && network === "host" && here.length > 0)
    found.push({
      code: "daemon-unsuitable",
      path,
      message: `the Docker daemon of host "${name}" remaps user namespaces, and refuses containers on the host's network, where agents run`,
      hint: "remove `userns-remap` from its daemon.json; a cluster on a single host can have `network: bridge`",
    });
  const privileged = here.filter(({ ports }) => listensOnPrivileged(ports)).map((agent) => agent.name);
  if (options.includes("name=no-new-privileges") && privileged.length > 0)
    found.push({
      code: "daemon-contradicts",
      path,
      message: `the Docker daemon of host "${name}" has no-new-privileges as its default, and ${privileged.join(", ")} cannot listen on a port below 1024`,
      hint: "set another port in `ports`, or remove `no-new-privileges` from its daemon.json",
    });
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
