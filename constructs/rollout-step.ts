import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type LocalExecProvisioner, TerraformLocal, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { stepId } from "../consul/contract";
import type { DockerHost } from "./docker-host";
import { escaped } from "./escape";
import { TerraformData } from "./terraform-data";

/** A container to be asked, and the host that it is on. */
export interface ExecTarget {
  readonly host: DockerHost;
  readonly container: string;
}

export interface RolloutStepProps {
  /** Which of rollout/agent's scripts. */
  readonly script: "gate" | "services" | "quorum" | "autopilot" | "acl" | "definitions" | "gossip";
  /** After the first, which is how many seconds to wait. */
  readonly arguments: readonly (string | number)[];
  /** Containers to ask, in order: the first that runs the script answers. */
  readonly targets: readonly ExecTarget[];
  /** How long to wait for the answer, in seconds. Default 120. */
  readonly readyTimeout?: number;
  /** A file of one line that the script is given on standard input, where Terraform runs; none by default. */
  readonly input?: string;
  /** Of a gate, the Terraform id of the agent that it is for. */
  readonly readinessOf?: string;
  /** What makes the question come up again when it changes. */
  readonly triggers: readonly string[];
}

/** How long a deploy waits for one answer, in seconds, unless told otherwise: a server with an empty disk takes 16 s (measured). */
export const DEFAULT_READY_TIMEOUT = 120;

/**
 * A question that a deploy puts to an agent: a terraform_data that is replaced when what it asks about is, and whose creation fails
 * when the answer is no. It fails alone: the container stays as it is, and the next deploy asks again. (With the provider's own `wait` a
 * container that starts slowly is tainted, and destroyed by the next deploy.)
 */
export class RolloutStep extends Construct {
  readonly resource: TerraformData;

  constructor(scope: Construct, id: string, props: RolloutStepProps) {
    super(scope, id);
    const scripts = RolloutScripts.of(this);
    const { readyTimeout = DEFAULT_READY_TIMEOUT } = props;
    const provisioner: LocalExecProvisioner = {
      type: "local-exec",
      // By way of the environment, so that Terraform's log shows one line, and nothing has to be quoted.
      command: 'sh -c "$ASK"',
      environment: {
        ASK: scripts.reference("ask"),
        ...(props.input && { ASK_INPUT: props.input }),
        ...(props.readinessOf && { ASK_GATED: props.readinessOf }),
        ...stepEnvironment({ ...props, readyTimeout, script: scripts.reference(props.script) }),
      },
    };
    this.resource = new TerraformData(this, "Resource", {
      triggersReplace: props.triggers,
      provisioners: [provisioner],
    });
  }

  /** Puts this question off until others have been answered. */
  runAfter(others: readonly { readonly resource: TerraformData }[]): void {
    this.resource.dependOn(others.map(({ resource }) => resource));
  }
}

/** What run-step.sh takes; see there. */
export function stepEnvironment(
  props: Pick<RolloutStepProps, "arguments" | "targets"> & { readonly script: string; readonly readyTimeout: number },
) {
  return {
    ASK_SCRIPT: props.script,
    ASK_ARGUMENTS: stepArguments([props.readyTimeout, ...props.arguments]),
    ASK_TARGETS: execTargets(props.targets),
    ASK_SECONDS: String(props.readyTimeout),
  };
}

export const stepArguments = (words: readonly (string | number)[]): string =>
  words.map((word) => shellQuoted(String(word))).join(" ");
export const execTargets = (targets: readonly ExecTarget[]): string => targets.map(execCommand).join("\n");

export const execCommand = ({ host, container }: ExecTarget): string =>
  [...host.dockerArguments, "exec", "-i", container].map(shellQuoted).join(" ");

/** For the shell. */
export const shellQuoted = (word: string): string =>
  /^[\w./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** What each script is made of: those that it builds on stand in front of it. */
const SOURCES = {
  ask: ["operator/docker.sh", "operator/run-step.sh"],
  beforeStop: ["operator/docker.sh", "operator/parallelism.sh", "operator/pre-stop.sh"],
  beforeLeave: ["operator/docker.sh", "operator/parallelism.sh", "operator/pre-leave.sh"],
  gate: ["agent/consul-api.sh", "agent/lock.sh", "agent/readiness.sh"],
  serverQuestion: ["agent/consul-api.sh", "agent/lock.sh", "agent/security-compat.sh", "agent/pre-stop-server.sh"],
  clientQuestion: ["agent/consul-api.sh", "agent/lock.sh", "agent/security-compat.sh", "agent/pre-stop-client.sh"],
  leave: ["agent/consul-api.sh", "agent/leave.sh"],
  gone: ["agent/consul-api.sh", "agent/lock.sh", "agent/removal.sh"],
  quorum: ["agent/consul-api.sh", "agent/voters.sh"],
  tryConfig: ["agent/validate-config.sh"],
  services: ["agent/consul-api.sh", "agent/reload.sh", "agent/services.sh"],
  acl: ["agent/consul-api.sh", "agent/management-api.sh", "agent/acl.sh"],
  aclChanges: ["agent/acl.jq"],
  definitions: ["agent/consul-api.sh", "agent/management-api.sh", "agent/definitions.sh"],
  definitionsChanges: ["agent/definitions.jq"],
  gossip: ["agent/consul-api.sh", "agent/gossip.sh"],
  giveSecrets: ["operator/docker.sh", "operator/deliver-secrets.sh"],
  takeSecrets: ["agent/reload.sh", "agent/install-secrets.sh"],
  giveToken: ["operator/docker.sh", "operator/deliver-token.sh"],
  autopilot: ["agent/consul-api.sh", "agent/autopilot.sh"],
} as const;
type ScriptName = keyof typeof SOURCES;

/** A stack's scripts, each once, however many agents are asked. */
export class RolloutScripts extends Construct {
  static of(scope: Construct): RolloutScripts {
    const stack = TerraformStack.of(scope);
    return (
      (stack.node.tryFindChild(RolloutScripts.ID) as RolloutScripts | undefined) ??
      new RolloutScripts(stack, RolloutScripts.ID)
    );
  }

  private static readonly ID = stepId("scripts");

  private readonly references = new Map<ScriptName, string>();

  reference(name: ScriptName): string {
    const reference = this.references.get(name) ?? this.add(name).asString;
    this.references.set(name, reference);
    return reference;
  }

  private add(name: ScriptName): TerraformLocal {
    const local = new TerraformLocal(this, name, scriptText(name));
    local.overrideLogicalId(stepId(name));
    return local;
  }
}

const texts = new Map<string, string>();

/** A script as Terraform's JSON holds it: the question stands there once for each agent, so without its comments and indentation, half the size. */
export function scriptText(name: ScriptName): string {
  const text =
    texts.get(name) ??
    SOURCES[name].map((file) => `# ${basename(file)}\n${compact(uploadText(`rollout/${file}`))}`).join("");
  texts.set(name, text);
  return text;
}

/** None of the scripts has text of several lines in quotes. */
const compact = (script: string): string => script.replace(/^[ \t]*(#.*)?\n/gm, "").replace(/^[ \t]+/gm, "");

/** One of the product's shell scripts, for Terraform's JSON: part of the program, read from beside it, once. */
export function uploadText(file: string): string {
  const text = texts.get(file) ?? escaped(readFileSync(join(__dirname, "..", file), "utf8"));
  texts.set(file, text);
  return text;
}
