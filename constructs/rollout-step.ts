import type { LocalExecProvisioner } from "cdktf";
import { Construct } from "constructs";
import { DEFAULTS } from "../cluster/resolve/defaults";
import type { ProvisionerEnvironment } from "../consul/contract";
import type { DockerHost } from "./docker-host";
import { RolloutScripts } from "./rollout-scripts";
import { shellWords } from "./shell";
import { TerraformData } from "./terraform-data";

/** A container in which a step runs its script, and the container's host. */
export interface ExecTarget {
  readonly host: DockerHost;
  readonly container: string;
}

export interface RolloutStepProps {
  /** The script, of rollout/agent. */
  readonly script: "gate" | "services" | "quorum" | "autopilot" | "acl" | "definitions" | "gossip";
  /** The script's arguments after the first, which is the timeout in seconds. */
  readonly arguments: readonly (string | number)[];
  /** Containers to run the script in. The first one that can run it decides. */
  readonly targets: readonly ExecTarget[];
  /** Seconds to wait for the script's success. @default 120 */
  readonly readyTimeout?: number;
  /** A file of one line, where Terraform runs, for the script's standard input. @default none */
  readonly input?: string;
  /** For a readiness check: the Terraform id of its agent. @default none */
  readonly readinessOf?: string;
  /** The step runs again when one of these changes. */
  readonly triggers: readonly string[];
}

/**
 * A step of a deploy: a script that runs in an agent's container. It is a terraform_data, which is replaced when a
 * trigger changes, and whose creation fails when the script does. The container is not affected by that, and the next
 * deploy runs the step again. (A container that is not ready within the provider's own `wait` is tainted, and the next
 * deploy destroys it.)
 */
export class RolloutStep extends Construct {
  readonly resource: TerraformData;

  constructor(scope: Construct, id: string, props: RolloutStepProps) {
    super(scope, id);
    const { readyTimeout = DEFAULTS.readyTimeout } = props;
    const scripts = RolloutScripts.of(this);
    const environment: Record<string, string> = {
      ASK: scripts.reference("ask"),
      ...stepEnvironment({ ...props, readyTimeout, script: scripts.reference(props.script) }),
    };
    if (props.input) environment.ASK_INPUT = props.input;
    if (props.readinessOf) environment.ASK_GATED = props.readinessOf;
    // Scripts are in the environment, so Terraform's log shows one line, and nothing has to be quoted.
    const provisioner: LocalExecProvisioner = { type: "local-exec", command: 'sh -c "$ASK"', environment };
    this.resource = new TerraformData(this, "Resource", {
      triggersReplace: props.triggers,
      provisioners: [provisioner],
    });
  }

  /** Runs this step after other steps have succeeded. */
  runAfter(steps: readonly { readonly resource: TerraformData }[]): void {
    this.resource.dependOn(steps.map(({ resource }) => resource));
  }
}

/** The environment of rollout/operator/run-step.sh, which describes it. */
export function stepEnvironment({
  script,
  readyTimeout,
  arguments: words,
  targets,
}: Pick<RolloutStepProps, "arguments" | "targets"> & {
  readonly script: string;
  readonly readyTimeout: number;
}): Record<string, string> {
  return {
    ASK_SCRIPT: script,
    ASK_ARGUMENTS: shellWords([readyTimeout, ...words]),
    ASK_TARGETS: execTargets(targets),
    ASK_SECONDS: String(readyTimeout),
  } satisfies ProvisionerEnvironment;
}

/** One line for each container. */
export const execTargets = (targets: readonly ExecTarget[]): string => targets.map(execCommand).join("\n");

/** The docker CLI's arguments that run a command in a container, without the command, quoted for the shell. */
export const execCommand = ({ host, container }: ExecTarget): string =>
  shellWords([...host.dockerArguments, "exec", "-i", container]);
