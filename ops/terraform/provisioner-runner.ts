import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { OWN_CONTAINER, OWN_NODE } from "../../constructs/pre-stop";
import { secretsId } from "../../consul/contract";
import { logLines } from "../process";
import { withTempDir } from "../temp-dir";

/** The container that a question before a stop is about: the one that runs, whatever its successor is called. */
export interface RunningContainer {
  readonly container: string;
  readonly node: string;
}

/** What Terraform would know where it evaluates a string of the synthesized JSON. */
export interface Evaluation {
  readonly locals?: Readonly<Record<string, string>>;
  /** `path.root`: the folder that the stack is applied in. */
  readonly root: string;
  readonly self?: RunningContainer;
}

/** What is escaped, the two forms of `projectPath`, a local, and any other expression. */
const EXPRESSION =
  /\$\$\{|%%\{|\$\{pathexpand\("~([^"]*)"\)\}|\$\{abspath\("\$\{path\.root\}\/([^"]*)"\)\}|\$\{local\.(\w+)\}|\$\{(?:[^"{}]|"[^"]*")*\}/g;

/**
 * A string of the synthesized JSON as Terraform would have it, as far as the constructs write expressions.
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

/** A stack's Terraform JSON, as far as it is read here. */
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

/** How a container is asked that is not as the file has it: its name, and where the API is in it. */
export interface ContainerOverride {
  readonly name: string;
  readonly http: string;
}

/**
 * The questions of a deploy, put by a command of ours: they are read from the synthesized JSON, so that whatever a deploy asks, this asks too, of
 * the same agents, with the same lock.
 */
export class ProvisionerRunner {
  private readonly json: StackJson;

  /**
   * @param folder of a synthesized stack
   * @param actual containers that are not as the file has them, by the file's names for them
   */
  constructor(
    private readonly folder: string,
    private readonly say: (line: string) => void,
    private readonly actual: ReadonlyMap<string, ContainerOverride> = new Map(),
  ) {
    this.json = JSON.parse(readFileSync(join(folder, "cdk.tf.json"), "utf8"));
  }

  /** What an agent's host pulls its image by. */
  image(agent: string): string {
    return evaluate(this.json.resource.docker_image?.[agent]?.name ?? "", { root: this.folder });
  }

  /** May this agent's container be stopped? @returns the reason why not; undefined for a yes */
  beforeStop(agent: string, self: RunningContainer): Promise<string | undefined> {
    return this.put("docker_container", agent, self);
  }

  /** Is this agent in, within the file's `ready_timeout`? Then the lock is given back. @returns the reason why not; undefined for a yes */
  whetherIn(agent: string): Promise<string | undefined> {
    return this.put("terraform_data", agent);
  }

  /** Gives an agent its secrets, as the folder has them now. @returns why that failed; undefined when it did not */
  giveSecrets(agent: string): Promise<string | undefined> {
    return this.put("terraform_data", secretsId(agent));
  }

  /** What a deploy ends with, in its order: ACLs, gossip's key, voters, autopilot. Each changes nothing where all is as it should be. @returns as above */
  async steps(): Promise<string | undefined> {
    // Names of agents have no underscore.
    const left = new Map(
      Object.entries(this.json.resource.terraform_data ?? {}).filter(([name]) => name.startsWith("consul_")),
    );
    while (left.size > 0) {
      const waits = ({ depends_on = [] }: ResourceJson) =>
        depends_on.some((address) => left.has(address.replace(/^terraform_data\./, "")));
      const [name] = [...left].find(([, step]) => !waits(step)) ?? [];
      if (name === undefined)
        throw new Error(`the synthesized JSON's steps wait for each other: ${[...left.keys()].join(", ")}`);
      left.delete(name);
      const refusal = await this.put("terraform_data", name);
      if (refusal) return refusal;
    }
    return undefined;
  }

  private put(type: string, name: string, self?: RunningContainer): Promise<string | undefined> {
    const [provisioner] = this.json.resource[type]?.[name]?.provisioner ?? [];
    if (!provisioner) throw new Error(`the synthesized JSON has no question for ${type}.${name}`);
    const { command, environment } = provisioner["local-exec"];
    const evaluation = { locals: this.json.locals, root: this.folder, self };
    const env = Object.fromEntries(
      Object.entries(environment).map(([name, text]) => [name, evaluate(text, evaluation)]),
    );
    if (env.ASK_TARGETS) env.ASK_TARGETS = this.inActual(env.ASK_TARGETS);
    return run(command, env, this.folder, this.say);
  }

  /** The last words of each line are `exec -i CONTAINER`. */
  private inActual(targets: string): string {
    return targets.replace(/ exec -i '?([^\s']+)'?$/gm, (line, container: string) => {
      const actual = this.actual.get(container) ?? [...this.actual.values()].find(({ name }) => name === container);
      return actual ? ` exec -i -e CONSUL_HTTP_ADDR=${actual.http} ${actual.name}` : line;
    });
  }
}

/** @param folder where Terraform would run it: it may name files from there */
async function run(
  command: string,
  environment: Readonly<Record<string, string>>,
  folder: string,
  say: (line: string) => void,
): Promise<string | undefined> {
  // Questions note there which of Terraform's slots they hold: see rollout/operator/parallelism.sh.
  return withTempDir(join(tmpdir(), "consul-cdktf-question-"), (notes) => {
    const env = { ...process.env, ...environment, TF_DATA_DIR: notes };
    return logLines(spawn("sh", ["-c", command], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] }), say);
  });
}
