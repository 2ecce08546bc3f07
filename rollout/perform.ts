import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { AgentContainer } from "./agent-container";
import type { Decide } from "./ask";
import { type Clock, Stopwatch } from "./clock";
import { parsed } from "./consul-api";
import { containerReport } from "./container-report";
import { decommission } from "./decommission";
import { deliverSecrets } from "./deliver-secrets";
import { deliverToken } from "./deliver-token";
import type { Docker } from "./docker";
import type { Operator } from "./docker-cli";
import { DockerInTurn, MOST_BEGINNINGS } from "./docker-in-turn";
import { beginMaintenance, endMaintenance } from "./maintenance";
import { allow, deny, type Log, type Outcome } from "./outcome";
import { TerraformRun } from "./parallelism";
import { preStop } from "./pre-stop";
import type { AskedServer } from "./pre-stop-server";
import { SystemProcesses } from "./processes";
import { Queue, queueFolder } from "./queue";
import { type Readiness, readiness } from "./readiness";
import { acl } from "./reconcile/acl";
import { autopilot } from "./reconcile/autopilot";
import { definitions } from "./reconcile/definitions";
import { gossip } from "./reconcile/gossip";
import type { SecretIds } from "./reconcile/management";
import { services } from "./reconcile/services";
import type {
  BeginMaintenanceRequest,
  DecommissionRequest,
  EndMaintenanceRequest,
  ExecTarget,
  ReadinessRequest,
  Role,
  StepRequest,
} from "./request";
import { type Ask, type Consent, checksAtOnce, type StopRequest, type StopTools } from "./stop-check";
import { voters } from "./voters";

/** What a step needs of where it runs. */
export interface Surroundings extends Operator {
  readonly clock: Clock;
  readonly log: Log;
  /** The Terraform that waits: its process id, and its environment. */
  readonly terraform: { readonly pid: number; readonly env: NodeJS.ProcessEnv };
  readonly consent: Consent;
}

/**
 * Carries out a step of a deploy.
 * @returns `allow` if it is done, `deny` otherwise: what nobody knows is denied. The reason names its subject.
 */
export async function perform(request: StepRequest, surroundings: Surroundings): Promise<Outcome> {
  const outcome = await new Performance(surroundings).outcomeOf(request);
  const subject = "node" in request ? request.node : "target" in request ? request.target.container : request.step;
  return { ...outcome, reason: `${subject}: ${worded(request, outcome)}` };
}

function worded({ step, seconds }: StepRequest, { kind, reason }: Outcome): string {
  const isStop = step === "pre-stop" || step === "decommission";
  if (kind === "allow") return step === "pre-stop" ? `stop allowed: ${reason}` : reason;
  if (isStop) return `not stopped: ${reason}`;
  if (step === "begin-maintenance") return `its host is still needed: ${reason}`;
  if (step === "end-maintenance") return `its maintenance does not end: ${reason}`;
  return step === "readiness" ? `is not ready after ${seconds} s: ${reason}` : reason;
}

const asked = (agent: AgentContainer, isOwn: boolean): AskedServer => ({
  api: agent.api,
  isOwn,
  connects: (addresses) => agent.connects(addresses),
});

/**
 * One step, with what it needs of where it runs. It imports what starts docker CLIs and what speaks HTTP when it needs
 * them: a check that waits in a queue has then not loaded Node's modules for them, a megabyte for each of a hundred.
 */
class Performance {
  private readonly begun: Stopwatch;
  private readonly run: TerraformRun;
  private readonly processes = new SystemProcesses();

  constructor(private readonly surroundings: Surroundings) {
    const { clock, terraform } = surroundings;
    this.begun = new Stopwatch(clock);
    this.run = new TerraformRun(terraform.pid, terraform.env, this.processes);
  }

  async outcomeOf(request: StepRequest): Promise<Outcome> {
    const { clock, log, folder } = this.surroundings;
    const { seconds } = request;
    switch (request.step) {
      case "pre-stop":
        return preStop(request, this.surroundings.consent, this.stopTools(request));
      case "decommission":
        return this.decommission(request);
      case "readiness":
        return this.readiness(request);
      case "begin-maintenance":
        return this.beginMaintenance(request);
      case "end-maintenance":
        return this.endMaintenance(request);
      case "services":
        return this.ask([request.target], seconds, (agent) =>
          services(request, agent.docker, agent.api, agent, clock, log),
        );
      case "deliver-secrets": {
        const secrets = { ...request, folder: resolve(folder, request.folder) };
        return deliverSecrets(secrets, this.docker(request.target), clock, log);
      }
      case "deliver-token": {
        const token = { ...request, file: resolve(folder, request.file) };
        return deliverToken(token, this.docker(request.target), clock, log);
      }
      case "voters":
        return this.ask(request.servers, seconds, ({ api }) => voters(request.nodes, seconds, api, clock, log));
      case "autopilot":
        return this.ask(request.servers, seconds, ({ api }) => autopilot(request, api, clock, log));
      case "gossip":
        return this.ask(request.servers, seconds, async (agent) =>
          gossip(request, await agent.gossipKey(), agent.api, clock, log),
        );
      case "acl": {
        const secretIds = this.secretIds(request.secrets);
        return this.ask(request.servers, seconds, ({ api }) => acl(request, secretIds, api, clock, log));
      }
      case "definitions": {
        const secretIds = request.secrets === undefined ? undefined : this.secretIds(request.secrets);
        return this.ask(request.servers, seconds, ({ api }) => definitions(request, secretIds, api, clock, log));
      }
    }
  }

  private async readiness(
    request: ReadinessRequest | EndMaintenanceRequest,
    check: Readiness = request,
  ): Promise<Outcome> {
    const { clock, log } = this.surroundings;
    const { owner, target, node, seconds } = request;
    const result = await this.ask([target], seconds, async (agent) => {
      const outcome = await readiness(check, agent, clock, log);
      if (outcome.kind === "late") return deny(outcome.reason, "read its container's log");
      // Its start was one of Terraform's operations that checks must leave free.
      this.run.recordReady(owner);
      return allow(`${outcome.kind === "ready" ? "ready, " : "readiness check skipped: "}${outcome.reason}`);
    });
    if (result.kind !== "deny") return result;
    const { lines, failure } = await containerReport(this.docker(target), target.container);
    for (const line of lines) log(`${node}: ${line}`);
    return failure ? deny(`${result.reason}: ${failure.meaning}`, failure.hint) : result;
  }

  private async decommission(request: DecommissionRequest): Promise<Outcome> {
    const { AgentContainer } = await import("./agent-container");
    const own = new AgentContainer(request.target, this.surroundings);
    const askServers: Ask = (decide) =>
      this.ask(request.servers, request.seconds, (agent) => decide(asked(agent, false)));
    try {
      return await decommission(request, this.surroundings.consent, {
        ...this.stopTools(request),
        own: own.api,
        askServers,
      });
    } finally {
      await own.close();
    }
  }

  private async beginMaintenance(request: BeginMaintenanceRequest): Promise<Outcome> {
    const { AgentContainer } = await import("./agent-container");
    const own = new AgentContainer(request.target, this.surroundings);
    try {
      return await beginMaintenance(request, { ...this.stopTools(request), own });
    } finally {
      await own.close();
    }
  }

  private async endMaintenance(request: EndMaintenanceRequest): Promise<Outcome> {
    const { clock, log } = this.surroundings;
    // What a deploy has acquired meanwhile is not released.
    const ready = await this.readiness(request, { ...request, owner: undefined });
    if (ready.kind !== "allow") return ready;
    return this.ask([request.target], request.seconds, (agent) => endMaintenance(request, agent, clock, log));
  }

  private stopTools(request: StopRequest): StopTools {
    const { target, servers, seconds, role } = request;
    const { clock, log } = this.surroundings;
    const docker = this.docker(target);
    return {
      docker,
      dockerInTurn: new DockerInTurn(docker, this.queue("docker", MOST_BEGINNINGS), clock),
      // A check that waits in a queue has waited already: after that each agent is asked once at least.
      ask: (decide) =>
        this.ask([target, ...servers], seconds, (agent) => decide(asked(agent, agent.target === target)), this.begun),
      run: this.run,
      queue: this.queue(role, checksAtOnce(request)),
      servers: this.queue("server", 1),
      clock,
      log,
    };
  }

  private queue(kind: Role | "docker", places: number): Queue {
    return new Queue(queueFolder(this.run.folder, kind), this.processes, process.pid, places);
  }

  private async ask(
    targets: readonly ExecTarget[],
    seconds: number,
    decide: Decide<AgentContainer>,
    begun?: Stopwatch,
  ): Promise<Outcome> {
    const { clock, log } = this.surroundings;
    const { askInTurn, byDocker } = await import("./ask");
    return askInTurn(targets, seconds, byDocker(this.surroundings), decide, clock, log, begun);
  }

  private docker(target: ExecTarget): Docker {
    return {
      run: async (args, options) => {
        const { DockerCli } = await import("./docker-cli");
        return DockerCli.of(target, this.surroundings).run(args, options);
      },
    };
  }

  /** @throws Error if the file has no SecretIDs; nothing of its content is in the message */
  private secretIds(path: string): SecretIds {
    const file = resolve(this.surroundings.folder, path);
    const { current, retiring } = parsed<Partial<SecretIds>>(readFileSync(file, "utf8")) ?? {};
    if (!current || !retiring)
      throw new Error(`${file} has no SecretIDs; write it again with \`npm run secrets -- init\``);
    return { current, retiring };
  }
}
