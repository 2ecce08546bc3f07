import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type LocalExecProvisioner, TerraformLocal, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import type { DockerHost } from "./docker-host";
import { literal } from "./literal";
import { TerraformData } from "./terraform-data";

/** A container to be asked, and the host that it is on. */
export interface AskTarget {
  readonly host: DockerHost;
  readonly container: string;
}

export interface AskProps {
  /** Which of constructs/container's scripts. */
  readonly script: "gate" | "services" | "quorum" | "autopilot" | "acl" | "definitions" | "gossip";
  /** After the first, which is how many seconds to wait. */
  readonly arguments: readonly (string | number)[];
  /** Containers to ask, in order: the first that runs the script answers. */
  readonly targets: readonly AskTarget[];
  /** How long to wait for the answer, in seconds. Default 120. */
  readonly wait?: number;
  /** A file of one line that the script is given on standard input, where Terraform runs; none by default. */
  readonly input?: string;
  /** Of a gate, the Terraform id of the agent that it is for. */
  readonly gated?: string;
  /** What makes the question come up again when it changes. */
  readonly triggers: readonly string[];
}

/** How long a deploy waits for one answer, in seconds, unless told otherwise: a server with an empty disk takes 16 s (measured). */
export const DEFAULT_WAIT = 120;

/**
 * A question that a deploy puts to an agent: a terraform_data that is replaced when what it asks about is, and whose creation fails
 * when the answer is no. It fails alone: the container stays as it is, and the next deploy asks again. (With the provider's own `wait` a
 * container that starts slowly is tainted, and destroyed by the next deploy.)
 */
export class Ask extends Construct {
  readonly resource: TerraformData;

  constructor(scope: Construct, id: string, props: AskProps) {
    super(scope, id);
    const scripts = AskScripts.of(this);
    const { wait = DEFAULT_WAIT } = props;
    const provisioner: LocalExecProvisioner = {
      type: "local-exec",
      // By way of the environment, so that Terraform's log shows one line, and nothing has to be quoted.
      command: 'sh -c "$ASK"',
      environment: {
        ASK: scripts.reference("ask"),
        ...(props.input && { ASK_INPUT: props.input }),
        ...(props.gated && { ASK_GATED: props.gated }),
        ...askEnvironment({ ...props, wait, script: scripts.reference(props.script) }),
      },
    };
    this.resource = new TerraformData(this, "Resource", { triggersReplace: props.triggers, provisioners: [provisioner] });
  }

  /** Puts this question off until others have been answered. */
  askAfter(others: readonly { readonly resource: TerraformData }[]): void {
    this.resource.comeAfter(others.map(({ resource }) => resource));
  }
}

/** What ask.sh takes; see there. */
export function askEnvironment(props: Pick<AskProps, "arguments" | "targets"> & { readonly script: string; readonly wait: number }) {
  return {
    ASK_SCRIPT: props.script,
    ASK_ARGUMENTS: askArguments([props.wait, ...props.arguments]),
    ASK_TARGETS: askTargets(props.targets),
    ASK_SECONDS: String(props.wait),
  };
}

export const askArguments = (words: readonly (string | number)[]): string => words.map((word) => quoted(String(word))).join(" ");
export const askTargets = (targets: readonly AskTarget[]): string => targets.map(askTarget).join("\n");

export const askTarget = ({ host, container }: AskTarget): string => [...host.dockerArguments, "exec", "-i", container].map(quoted).join(" ");

/** For the shell. */
export const quoted = (word: string): string => (/^[\w./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** What each script is made of: those that it builds on stand in front of it. */
const SOURCES = {
  ask: ["operator/docker.sh", "operator/ask.sh"],
  beforeStop: ["operator/docker.sh", "operator/slots.sh", "operator/before-stop.sh"],
  beforeLeave: ["operator/docker.sh", "operator/slots.sh", "operator/before-leave.sh"],
  gate: ["container/asking.sh", "container/lock.sh", "container/gate.sh"],
  serverQuestion: ["container/asking.sh", "container/lock.sh", "container/stage.sh", "container/question.sh"],
  clientQuestion: ["container/asking.sh", "container/lock.sh", "container/stage.sh", "container/client-question.sh"],
  leave: ["container/asking.sh", "container/leave.sh"],
  gone: ["container/asking.sh", "container/lock.sh", "container/gone.sh"],
  quorum: ["container/asking.sh", "container/quorum.sh"],
  tryConfig: ["container/try-config.sh"],
  services: ["container/asking.sh", "container/hang-up.sh", "container/services.sh"],
  acl: ["container/asking.sh", "container/managed.sh", "container/acl.sh"],
  aclChanges: ["container/acl.jq"],
  definitions: ["container/asking.sh", "container/managed.sh", "container/definitions.sh"],
  definitionsChanges: ["container/definitions.jq"],
  gossip: ["container/asking.sh", "container/gossip.sh"],
  giveSecrets: ["operator/docker.sh", "operator/give-secrets.sh"],
  takeSecrets: ["container/hang-up.sh", "container/take-secrets.sh"],
  giveToken: ["operator/docker.sh", "operator/give-token.sh"],
  autopilot: ["container/asking.sh", "container/autopilot.sh"],
} as const;
type ScriptName = keyof typeof SOURCES;

/** A stack's scripts, each once, however many agents are asked. */
export class AskScripts extends Construct {
  static of(scope: Construct): AskScripts {
    const stack = TerraformStack.of(scope);
    return (stack.node.tryFindChild(AskScripts.ID) as AskScripts | undefined) ?? new AskScripts(stack, AskScripts.ID);
  }

  private static readonly ID = "consul_scripts";

  private readonly references = new Map<ScriptName, string>();

  reference(name: ScriptName): string {
    const reference = this.references.get(name) ?? this.add(name).asString;
    this.references.set(name, reference);
    return reference;
  }

  private add(name: ScriptName): TerraformLocal {
    const local = new TerraformLocal(this, name, scriptText(name));
    local.overrideLogicalId(`consul_${name}`);
    return local;
  }
}

const texts = new Map<string, string>();

/** A script as Terraform's JSON holds it: the question stands there once for each agent, so without its comments and indentation, half the size. */
export function scriptText(name: ScriptName): string {
  const text = texts.get(name) ?? SOURCES[name].map((file) => `# ${basename(file)}\n${compact(uploadText(file))}`).join("");
  texts.set(name, text);
  return text;
}

/** None of the scripts has text of several lines in quotes. */
const compact = (script: string): string => script.replace(/^[ \t]*(#.*)?\n/gm, "").replace(/^[ \t]+/gm, "");

/** One of the product's shell scripts, for Terraform's JSON: part of the program, read from beside it, once. */
export function uploadText(file: string): string {
  const text = texts.get(file) ?? literal(readFileSync(join(__dirname, file), "utf8"));
  texts.set(file, text);
  return text;
}
