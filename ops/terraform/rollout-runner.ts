import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unescaped } from "../../constructs/escape";
import { namedRequest } from "../../constructs/request-text";
import { STACK_JSON, secretsId } from "../../consul/contract";
import { SYSTEM_CLOCK } from "../../rollout/clock";
import { dockerEnvironment } from "../../rollout/environment";
import { told } from "../../rollout/outcome";
import { perform } from "../../rollout/perform";
import {
  type ExecTarget,
  REQUEST_VARIABLE,
  type ReadinessRequest,
  type ReplaceRequest,
  type StepRequest,
} from "../../rollout/request";
import { consentIn } from "../../rollout/stop-check";
import { withTempDir } from "../temp-dir";

/** The container that a pre-stop check is about: the one that runs, which may have another name than its successor. */
export interface RunningContainer {
  readonly container: string;
  readonly node: string;
}

/** A container that differs from the cluster file: its name, and the API's address in it. */
export interface ContainerOverride {
  readonly name: string;
  readonly http: string;
}

/** The part of a stack's Terraform JSON that is read here. */
interface StackJson {
  readonly resource: Readonly<Record<string, Readonly<Record<string, ResourceJson>>>>;
}

interface ResourceJson {
  readonly name?: string;
  readonly depends_on?: readonly string[];
  readonly provisioner?: readonly {
    readonly "local-exec": { readonly environment: Readonly<Record<string, string>> };
  }[];
}

/**
 * Carries out steps of a deploy outside of Terraform. Their requests are read from the synthesized JSON, so that a
 * command makes the same checks as a deploy, on the same agents, with the same lock.
 */
export class RolloutRunner {
  private readonly json: StackJson;

  /**
   * @param folder of a synthesized stack
   * @param overrides containers that differ from the cluster file, by their names in the file
   */
  constructor(
    private readonly folder: string,
    private readonly log: (line: string) => void,
    private readonly overrides: ReadonlyMap<string, ContainerOverride> = new Map(),
  ) {
    this.json = JSON.parse(readFileSync(join(folder, STACK_JSON), "utf8"));
  }

  /** The name by which an agent's host pulls its image. */
  image(agent: string): string {
    return unescaped(this.json.resource.docker_image?.[agent]?.name ?? "");
  }

  /** The pre-stop check of an agent's container. @returns the reason, if it denies the stop */
  checkBeforeStop(agent: string, self: RunningContainer): Promise<string | undefined> {
    return this.run("docker_container", agent, self);
  }

  /** The readiness check of an agent, which releases the lock. @returns the reason, if the agent is not ready within its `ready_timeout` */
  waitUntilReady(agent: string): Promise<string | undefined> {
    return this.run("terraform_data", agent);
  }

  /**
   * Takes an agent out of use before its host goes down, after the check of a stop.
   * @param since now, in seconds since 1970
   * @param reason for Consul's maintenance mode
   * @returns the reason, if the cluster cannot spare it
   */
  async beginMaintenance(
    agent: string,
    self: RunningContainer,
    since: number,
    reason: string,
  ): Promise<string | undefined> {
    const { next: _, ...stop } = this.request("docker_container", agent, self) as ReplaceRequest;
    return this.carryOut({ ...stop, step: "begin-maintenance", since, reason });
  }

  /** Waits until an agent is ready, and puts it to use again. @returns the reason, if that fails */
  async endMaintenance(agent: string): Promise<string | undefined> {
    const readiness = this.request("terraform_data", agent, undefined) as ReadinessRequest;
    return this.carryOut({ ...readiness, step: "end-maintenance" });
  }

  /** Delivers the present secrets to an agent. @returns the reason, if that fails */
  deliverSecrets(agent: string): Promise<string | undefined> {
    return this.run("terraform_data", secretsId(agent));
  }

  /**
   * The steps that end a deploy, in its order: ACLs, the gossip key, voters, autopilot. A step changes nothing if nothing
   * has to be changed.
   * @returns the reason, if one fails
   */
  async runFinalSteps(): Promise<string | undefined> {
    // Names of agents have no underscore.
    const pending = new Map(
      Object.entries(this.json.resource.terraform_data ?? {}).filter(([name]) => name.startsWith("consul_")),
    );
    while (pending.size > 0) {
      const waits = ({ depends_on = [] }: ResourceJson) =>
        depends_on.some((address) => pending.has(address.replace(/^terraform_data\./, "")));
      const [name] = [...pending].find(([, step]) => !waits(step)) ?? [];
      if (name === undefined)
        throw new Error(`the synthesized JSON's steps wait for each other: ${[...pending.keys()].join(", ")}`);
      pending.delete(name);
      const failure = await this.run("terraform_data", name);
      if (failure) return failure;
    }
    return undefined;
  }

  private async run(type: string, name: string, self?: RunningContainer): Promise<string | undefined> {
    return this.carryOut(this.request(type, name, self));
  }

  private async carryOut(request: StepRequest): Promise<string | undefined> {
    // Checks note there which of Terraform's operations they take; here there is no Terraform, and no limit.
    const outcome = await withTempDir(join(tmpdir(), "consul-cdktf-rollout-"), (notes) =>
      perform(request, {
        clock: SYSTEM_CLOCK,
        env: dockerEnvironment(process.env),
        folder: this.folder,
        log: this.log,
        terraform: { pid: process.pid, env: { TF_DATA_DIR: notes } },
        consent: consentIn(process.env),
      }),
    );
    this.log(told(outcome));
    return outcome.kind === "allow" ? undefined : told(outcome);
  }

  private request(type: string, name: string, self: RunningContainer | undefined): StepRequest {
    const [provisioner] = this.json.resource[type]?.[name]?.provisioner ?? [];
    const text = provisioner?.["local-exec"].environment[REQUEST_VARIABLE];
    if (text === undefined) throw new Error(`the synthesized JSON makes no request for ${type}.${name}`);
    const request: StepRequest = JSON.parse(unescaped(self ? namedRequest(text, self) : text));
    if ("target" in request) return { ...request, target: this.redirected(request.target), ...this.servers(request) };
    return { ...request, servers: request.servers.map((target) => this.redirected(target)) };
  }

  private servers(request: StepRequest): { readonly servers?: readonly ExecTarget[] } {
    return "servers" in request ? { servers: request.servers.map((target) => this.redirected(target)) } : {};
  }

  private redirected(target: ExecTarget): ExecTarget {
    const { container } = target;
    const override =
      this.overrides.get(container) ?? [...this.overrides.values()].find(({ name }) => name === container);
    return override ? { ...target, container: override.name, api: override.http } : target;
  }
}
