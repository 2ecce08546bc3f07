import type { Precondition } from "cdktf";
import { Construct } from "constructs";
import type { StepRequest } from "../rollout/request";
import { RolloutProgram } from "./rollout-program";
import { TerraformData } from "./terraform-data";

/** What a step of a deploy does, and when. */
export interface RolloutStepProps {
  /**
   * What the step asks of the rollout's program. A function if the request is complete only when the stack is
   * synthesized.
   */
  readonly request: StepRequest | (() => StepRequest);
  /** What the step concerns, for Terraform's log: an agent's node name, or the cluster's. */
  readonly subject: string;
  /** The step runs again when one of these changes. */
  readonly triggers: readonly string[];
  /** What has to hold when Terraform plans the step. @default none */
  readonly precondition?: Precondition;
}

/**
 * A step of a deploy. It is a terraform_data, which is replaced when a trigger changes, and whose creation fails when the
 * step does. The container is not affected by that, and the next deploy runs the step again. (A container that is not
 * ready within the provider's own `wait` is tainted, and the next deploy destroys it.)
 */
export class RolloutStep extends Construct {
  /** The L1 resource: a `terraform_data`. */
  readonly resource: TerraformData;

  constructor(scope: Construct, id: string, { request, subject, triggers, precondition }: RolloutStepProps) {
    super(scope, id);
    const { step } = typeof request === "function" ? request() : request;
    this.resource = new TerraformData(this, "Resource", {
      triggersReplace: triggers,
      provisioners: [RolloutProgram.of(this).provisioner(`${step} ${subject}`, request)],
      precondition,
    });
  }

  /** Runs this step after other steps have succeeded. */
  runAfter(steps: readonly { readonly resource: TerraformData }[]): void {
    this.resource.dependOn(steps.map(({ resource }) => resource));
  }
}
