import { readFileSync } from "node:fs";
import { join } from "node:path";
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
  readonly script: "gate" | "quorum";
  /** After the first, which is how many seconds to wait. */
  readonly arguments: readonly (string | number)[];
  /** Containers to ask, in order: the first that runs the script answers. */
  readonly targets: readonly AskTarget[];
  /** How long to wait for the answer, in seconds. Default 120. */
  readonly wait?: number;
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
        ...askEnvironment({ ...props, wait, script: scripts.reference(props.script) }),
      },
    };
    this.resource = new TerraformData(this, "Resource", { triggersReplace: props.triggers, provisioners: [provisioner] });
  }

  /** Puts this question off until others have been answered. (`node.addDependency` would change nothing in the JSON.) */
  askAfter(others: readonly Ask[]): void {
    this.resource.dependsOn = [
      ...(this.resource.dependsOn ?? []),
      ...others.map(({ resource }) => `${resource.terraformResourceType}.${resource.friendlyUniqueId}`),
    ];
  }
}

/** What ask.sh takes; see there. */
export function askEnvironment(props: Pick<AskProps, "arguments" | "targets"> & { readonly script: string; readonly wait: number }) {
  return {
    ASK_SCRIPT: props.script,
    ASK_ARGUMENTS: [props.wait, ...props.arguments].map((argument) => quoted(String(argument))).join(" "),
    ASK_TARGETS: props.targets.map(askTarget).join("\n"),
    ASK_SECONDS: String(props.wait),
  };
}

const askTarget = ({ host, container }: AskTarget): string => [...host.dockerArguments, "exec", "-i", container].map(quoted).join(" ");

/** For the shell. */
export const quoted = (word: string): string => (/^[\w./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

const SOURCES = { ask: ["operator/ask.sh"], gate: ["container/lock.sh", "container/gate.sh"], quorum: ["container/quorum.sh"] } as const;
type ScriptName = keyof typeof SOURCES;

/** A stack's scripts, each once, however many agents are asked. */
class AskScripts extends Construct {
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
    const local = new TerraformLocal(this, name, SOURCES[name].map(scriptText).join(""));
    local.overrideLogicalId(`consul_${name}`);
    return local;
  }
}

const texts = new Map<string, string>();

/** One of the product's shell scripts, for Terraform's JSON: part of the program, read from beside it, once. */
export function scriptText(file: string): string {
  const text = texts.get(file) ?? literal(readFileSync(join(__dirname, file), "utf8"));
  texts.set(file, text);
  return text;
}
