import type { Cluster, HostDescription } from "../../cluster/model";
import { STOP_TIMEOUT_SECONDS } from "../../consul/contract";
import { tryWithAgent } from "../docker/agent";
import { docker } from "../docker/docker";
import type { FixAction, HealthProblem } from "../inspect/health-problem";
import { type InspectedAgent, notReady } from "../inspect/inspected-agent";
import type { Inspection } from "../inspect/inspection";
import type { LockEntry } from "../inspect/locks";
import { nodeOf } from "../inspect/ownership";
import { planSuccessor } from "../terraform/replacement";
import { RolloutRunner } from "../terraform/rollout-runner";
import type { Stack } from "../terraform/synth";
import { terraform } from "../terraform/terraform";
import { deleteLock } from "./stale-locks";

/** Fixes in their order: first the Terraform state, which everything is compared with, then those that start agents, then those that stop agents. */
const ORDER: Record<FixAction, number> = {
  "restore-terraform-state": 0,
  unpause: 1,
  start: 2,
  "restart-policy": 3,
  untaint: 4,
  "deliver-secrets": 5,
  "release-lock": 6,
  remove: 7,
  recreate: 8,
};

/** The problems that can be fixed, in the order of their fixes; of equal fixes, servers first, because client agents need servers to be ready. */
export function fixable({ agents }: Cluster, problems: readonly HealthProblem[]): HealthProblem[] {
  const clientAgents = new Set(agents.filter(({ role }) => role === "client").map(({ name }) => name));
  const rank = ({ location: { agent }, fix }: HealthProblem) =>
    2 * (fix ? ORDER[fix] : 0) + Number(agent !== undefined && clientAgents.has(agent));
  return problems.filter(({ fix }) => fix).sort((a, b) => rank(a) - rank(b));
}

/** Fixes problems one by one. */
export class Fixer {
  /** @param tempDir a folder that only this user can read, because a plan contains the Terraform state */
  constructor(
    private readonly stackOf: (agent: string) => Stack,
    private readonly inspection: Inspection,
    private readonly tempDir: string,
    private readonly log: (line: string) => void,
  ) {}

  /** @returns why the problem was not fixed; undefined when it was */
  async fix({ fix, lock, container, location }: HealthProblem): Promise<string | undefined> {
    if (fix === "release-lock" && lock) return this.releaseLock(lock);
    if (fix === "remove" && container) return this.remove(location.host, container);
    const inspected = this.inspection.agents.find(({ agent }) => agent.name === location.agent);
    if (!inspected) return "there is no such agent";
    const { agent, resource } = inspected;
    switch (fix) {
      case "start":
        return this.docker(inspected, "start", agent.container);
      case "unpause":
        return this.docker(inspected, "unpause", agent.container);
      case "restart-policy":
        return this.docker(inspected, "update", `--restart=${String(resource?.attributes.restart)}`, agent.container);
      case "untaint": {
        const { folder } = this.stackOf(agent.name);
        const { exitCode, error } = await terraform(folder, ["untaint", resource?.address ?? ""]);
        return exitCode === 0 ? undefined : error;
      }
      case "deliver-secrets":
        return new RolloutRunner(this.stackOf(agent.name).folder, this.log).deliverSecrets(agent.name);
      case "recreate":
        return this.recreate(inspected).then(
          () => undefined,
          (error: Error) => error.message,
        );
      default:
        return "it cannot be fixed automatically";
    }
  }

  /** As a deploy: pre-stop check, stop with a timeout, recreate, readiness check. The agent's data is on its volume. */
  private async recreate(inspected: InspectedAgent): Promise<void> {
    const { agent, container, resource } = inspected;
    const { folder } = this.stackOf(agent.name);
    // Terraform runs the pre-stop check of a container in its state, and stops it.
    if (resource?.attributes.id === container?.Id) {
      return (await planSuccessor(folder, agent.name, this.tempDir, `-replace=${resource?.address}`))();
    }
    const start = await planSuccessor(folder, agent.name, this.tempDir);
    const denial = await new RolloutRunner(folder, this.log).checkBeforeStop(agent.name, {
      container: agent.container,
      node: (container && nodeOf(container)) ?? agent.node,
    });
    const failure =
      denial ??
      (await this.docker(inspected, "stop", "-t", String(STOP_TIMEOUT_SECONDS), agent.container)) ??
      (await this.docker(inspected, "rm", agent.container));
    if (failure) throw new Error(failure);
    await start();
  }

  private async releaseLock(lock: LockEntry): Promise<string | undefined> {
    const source = this.inspection.agents.find(
      (inspected) => inspected.container?.State.Running && notReady(inspected) === undefined,
    );
    if (!source) return "no agent is ready";
    return tryWithAgent(source.agent, ({ api }) => deleteLock(api, lock));
  }

  private async remove(host: string | undefined, container: string): Promise<string | undefined> {
    const found = this.inspection.hosts.find((inspected) => inspected.host.name === host);
    return found ? run(found.host, "rm", "--force", container) : "there is no such host";
  }

  private docker({ agent }: InspectedAgent, ...args: string[]): Promise<string | undefined> {
    return run(agent.host, ...args);
  }
}

async function run({ daemon }: HostDescription, ...args: string[]): Promise<string | undefined> {
  const { ok, error } = await docker(daemon).run(args, { seconds: 2 * STOP_TIMEOUT_SECONDS });
  return ok ? undefined : `docker ${args.join(" ")}: ${error}`;
}
