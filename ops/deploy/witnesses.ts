import { agentSelf, members } from "../../rollout/queries";
import { withAgent } from "../docker/agent";
import { type DaemonInfo, daemonInfo, listContainers } from "../docker/container";
import { declaredContainers } from "../inspect/declared-containers";
import { parallel } from "../parallel";
import type { DeployBasis, Witnesses } from "./second-containers";

/** For a machine that may have failed. */
const SECONDS_FOR_FORMER_HOST = 10;
const PAUSE_MS = 2000;
const DAEMONS_AT_ONCE = 64;

/** What daemons and agents know of containers that a deploy would create. */
export const witnesses = (log: (line: string) => void): Witnesses => ({
  containersOf: (daemon) => listContainers(daemon, SECONDS_FOR_FORMER_HOST),
  membersSeenBy: (agent) => withAgent(agent, ({ api }) => members(api)).catch(() => undefined),
  datacenterOf: (agent, container) =>
    withAgent(agent, async ({ api }) => (await agentSelf(api))?.Config.Datacenter, { container }).catch(
      () => undefined,
    ),
  pause: () => new Promise((resume) => setTimeout(resume, PAUSE_MS)),
  log,
});

/** What the daemons tell of themselves that would get new containers: the others have run theirs before. */
export async function newDaemons(basis: DeployBasis): Promise<Map<string, DaemonInfo>> {
  const missing = new Set(
    declaredContainers(basis.cluster, basis.stacks)
      .filter(({ name, host }) => basis.containers.get(host)?.every((container) => container.name !== name))
      .map(({ host }) => host),
  );
  const infos = new Map<string, DaemonInfo>();
  const hosts = basis.cluster.hosts.filter(({ name }) => missing.has(name));
  await parallel(hosts, DAEMONS_AT_ONCE, async ({ name, daemon }) => {
    const info = await daemonInfo(daemon);
    if (info) infos.set(name, info);
  });
  return infos;
}
