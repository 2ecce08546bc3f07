import type { Cluster } from "../../cluster/model";
import { STOP_TIMEOUT_SECONDS } from "../../constructs/agent-container";
import { apiOf } from "../consul-api/agent-view";
import { consulApi } from "../consul-api/consul-api";
import { docker } from "../docker/docker";
import { type Finding, type InspectedAgent, type LockEntry, whyNotReady, whyStale } from "../inspect/findings";
import { type Inspection, inspect } from "../inspect/inspection";
import { ProvisionerRunner } from "../terraform/provisioner-runner";
import { planSuccessor } from "../terraform/replacement";
import type { StateResource } from "../terraform/state";
import type { Stack } from "../terraform/synth";
import { terraform } from "../terraform/terraform";

/** A server that has been told that it may be stopped is in for a moment longer. */
const SECOND_LOOK_MS = 10_000;

/** Stacks in which a deploy is under way: their state is locked. */
export async function runningDeploys(stacks: readonly Stack[]): Promise<string[]> {
  const busy: string[] = [];
  for (const { name, folder } of stacks) {
    // Takes the lock and gives it back; asks no host.
    const { exitCode, error } = await terraform(folder, [
      "plan",
      "-refresh=false",
      "-input=false",
      "-no-color",
      "-lock-timeout=0s",
    ]);
    if (exitCode !== 0 && /state lock/i.test(error)) busy.push(name);
  }
  return busy;
}

/** Locks that are nobody's, as findings, after a second look at those that seem so. */
export async function staleLocks(
  cluster: Cluster,
  resources: readonly StateResource[],
  first: Inspection,
  say: (line: string) => void,
): Promise<(Finding & { readonly entry: LockEntry })[]> {
  const suspects = first.locks.filter((entry) => whyStale(entry, first.agents, cluster.agents));
  if (suspects.length === 0) return [];
  say(`a lock seems to be nobody's: looking again in ${SECOND_LOOK_MS / 1000} s`);
  await new Promise((resume) => setTimeout(resume, SECOND_LOOK_MS));
  const second = await inspect(cluster, resources);
  return second.locks.flatMap((entry) => {
    const why = whyStale(entry, second.agents, cluster.agents);
    if (!why || !suspects.some(({ key, index }) => key === entry.key && index === entry.index)) return [];
    const host = second.agents.find(({ agent }) => agent.name === entry.owner)?.agent.host.name ?? "";
    return [
      {
        host,
        agent: entry.owner,
        what: `${entry.key} is still taken for it, and ${why}`,
        hint: `give it back (--fix does): consul kv delete ${entry.key}`,
        action: "give-lock-back" as const,
        entry,
      },
    ];
  });
}

/** Mends findings, one after the other, each in the way that it says. */
export class Fixer {
  constructor(
    private readonly stackOf: (agent: string) => Stack,
    private readonly examination: Inspection,
    private readonly scratch: string,
    private readonly say: (line: string) => void,
  ) {}

  /** @returns why it was not mended; undefined when it was */
  async fix(finding: Finding & { readonly entry?: LockEntry }): Promise<string | undefined> {
    if (finding.action === "give-lock-back") return this.giveLockBack(finding.entry as LockEntry);
    const examined = this.examination.agents.find(({ agent }) => agent.name === finding.agent);
    if (!examined) return "there is no such agent";
    const { agent, resource } = examined;
    switch (finding.action) {
      case "start":
        return this.docker(examined, "start", agent.container);
      case "unpause":
        return this.docker(examined, "unpause", agent.container);
      case "restart-policy":
        return this.docker(examined, "update", `--restart=${String(resource?.attributes.restart)}`, agent.container);
      case "untaint": {
        const { exitCode, error } = await terraform(this.stackOf(agent.name).folder, [
          "untaint",
          resource?.address ?? "",
        ]);
        return exitCode === 0 ? undefined : error;
      }
      case "give-secrets":
        return new ProvisionerRunner(this.stackOf(agent.name).folder, this.say).deliverSecrets(agent.name);
      case "replace":
        return this.replace(examined).then(
          () => undefined,
          (error: Error) => error.message,
        );
      default:
        return "only a person can mend this";
    }
  }

  /** As a deploy would: asked first, stopped with its time to finish, made anew, and waited for. Its data is on its volume. */
  private async replace(examined: InspectedAgent): Promise<void> {
    const { agent, container, resource } = examined;
    const { folder } = this.stackOf(agent.name);
    // Terraform asks about what it knows, and stops it.
    if (resource?.attributes.id === container?.Id) {
      return (await planSuccessor(folder, agent.name, this.scratch, `-replace=${resource?.address}`))();
    }
    const start = await planSuccessor(folder, agent.name, this.scratch);
    const node = container?.Config.Cmd?.find((word) => word.startsWith("-node="))?.slice("-node=".length) ?? agent.node;
    const refusal = await new ProvisionerRunner(folder, this.say).checkBeforeStop(agent.name, {
      container: agent.container,
      node,
    });
    const failure =
      refusal ??
      (await this.docker(examined, "stop", "-t", String(STOP_TIMEOUT_SECONDS), agent.container)) ??
      (await this.docker(examined, "rm", agent.container));
    if (failure) throw new Error(failure);
    await start();
  }

  /** Only if nobody has taken it anew. */
  private async giveLockBack({ key, index }: LockEntry): Promise<string | undefined> {
    const speaker = this.examination.agents.find(
      (each) => each.container?.State.Running && whyNotReady(each) === undefined,
    );
    if (!speaker) return "no agent that is in can be asked";
    const { ok, output, error } = await consulApi(
      apiOf(speaker.agent),
      ["-f", "-X", "DELETE", `/v1/kv/${key}?cas=${index}`],
      15,
    );
    if (!ok) return error;
    return output.trim() === "true" ? undefined : "somebody has taken it anew";
  }

  private async docker({ agent }: InspectedAgent, ...args: string[]): Promise<string | undefined> {
    const { ok, error } = await docker(agent.host.daemon, args, 2 * STOP_TIMEOUT_SECONDS);
    return ok ? undefined : `docker ${args.join(" ")}: ${error}`;
  }
}
