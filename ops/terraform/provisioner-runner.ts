import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { OWN_CONTAINER, OWN_NODE } from "../../constructs/pre-stop";
import { secretsId } from "../../consul/contract";
import { logLines } from "../process";
import { withTempDir } from "../temp-dir";

/** The container that a pre-stop check is about: the one that runs, which may have another name than its successor. */
export interface RunningContainer {
  readonly container: string;
  readonly node: string;
}

/** What Terraform knows when it evaluates a string of the synthesized JSON. */
export interface Evaluation {
  readonly locals?: Readonly<Record<string, string>>;
  /** `path.root`: the folder that the stack is applied in. */
  readonly root: string;
  readonly self?: RunningContainer;
}

/** Escaped characters, the two forms of `projectPath`, a local, and any other expression. */
const EXPRESSION =
  /\$\$\{|%%\{|\$\{pathexpand\("~([^"]*)"\)\}|\$\{abspath\("\$\{path\.root\}\/([^"]*)"\)\}|\$\{local\.(\w+)\}|\$\{(?:[^"{}]|"[^"]*")*\}/g;

/**
 * Evaluates a string of the synthesized JSON as Terraform does. It knows the expressions that the constructs write.
 * @throws for any other expression
 */
export function evaluate(text: string, { locals = {}, root, self }: Evaluation): string {
  return text.replace(EXPRESSION, (found, home?: string, path?: string, local?: string) => {
    if (found === "$${" || found === "%%{") return found.slice(1);
    if (home !== undefined) return homedir() + home;
    if (path !== undefined) return resolve(root, path);
    if (local !== undefined && locals[local] !== undefined) return evaluate(locals[local], { locals, root, self });
    if (self && found === OWN_CONTAINER) return self.container;
    if (self && found === OWN_NODE) return self.node;
    throw new Error(`${found} cannot be evaluated outside Terraform`);
  });
}

/** The part of a stack's Terraform JSON that is read here. */
export interface StackJson {
  readonly locals?: Readonly<Record<string, string>>;
  readonly resource: Readonly<Record<string, Readonly<Record<string, ResourceJson>>>>;
}

export interface ResourceJson {
  readonly name?: string;
  readonly depends_on?: readonly string[];
  readonly provisioner?: readonly { readonly "local-exec": LocalExec }[];
}

interface LocalExec {
  readonly command: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** A container that differs from the cluster file: its name, and the API's address in it. */
export interface ContainerOverride {
  readonly name: string;
  readonly http: string;
}

/**
 * Runs provisioners of a deploy outside of Terraform. They are read from the synthesized JSON, so that a command makes
 * the same checks as a deploy, on the same agents, with the same lock.
 */
export class ProvisionerRunner {
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
    this.json = JSON.parse(readFileSync(join(folder, "cdk.tf.json"), "utf8"));
  }

  /** The name by which an agent's host pulls its image. */
  image(agent: string): string {
    return evaluate(this.json.resource.docker_image?.[agent]?.name ?? "", { root: this.folder });
  }

  /** The pre-stop check of an agent's container. @returns the reason, if it denies the stop */
  checkBeforeStop(agent: string, self: RunningContainer): Promise<string | undefined> {
    return this.run("docker_container", agent, self);
  }

  /** The readiness check of an agent, which releases the lock. @returns the reason, if the agent is not ready within its `ready_timeout` */
  waitUntilReady(agent: string): Promise<string | undefined> {
    return this.run("terraform_data", agent);
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

  private run(type: string, name: string, self?: RunningContainer): Promise<string | undefined> {
    const [provisioner] = this.json.resource[type]?.[name]?.provisioner ?? [];
    if (!provisioner) throw new Error(`the synthesized JSON has no provisioner for ${type}.${name}`);
    const { command, environment } = provisioner["local-exec"];
    const evaluation = { locals: this.json.locals, root: this.folder, self };
    const env = Object.fromEntries(
      Object.entries(environment).map(([name, text]) => [name, evaluate(text, evaluation)]),
    );
    if (env.ASK_TARGETS) env.ASK_TARGETS = this.redirected(env.ASK_TARGETS);
    return runCommand(command, env, this.folder, this.log);
  }

  /** Each line ends with `exec -i CONTAINER`. */
  private redirected(targets: string): string {
    return targets.replace(/ exec -i '?([^\s']+)'?$/gm, (line, container: string) => {
      const override =
        this.overrides.get(container) ?? [...this.overrides.values()].find(({ name }) => name === container);
      return override ? ` exec -i -e CONSUL_HTTP_ADDR=${override.http} ${override.name}` : line;
    });
  }
}

/** @param folder in which Terraform would run it, to which its paths are relative */
async function runCommand(
  command: string,
  environment: Readonly<Record<string, string>>,
  folder: string,
  log: (line: string) => void,
): Promise<string | undefined> {
  // Checks note there which of Terraform's slots they hold: see rollout/operator/parallelism.sh.
  return withTempDir(join(tmpdir(), "consul-cdktf-provisioner-"), (notes) => {
    const env = { ...process.env, ...environment, TF_DATA_DIR: notes };
    return logLines(spawn("sh", ["-c", command], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] }), log);
  });
}
