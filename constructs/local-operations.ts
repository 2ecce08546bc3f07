import { TerraformBackend, TerraformElement, TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { stepId } from "../consul/contract";
import { onlyInStack } from "./stack";

/**
 * HCP Terraform sets it for each run, and declares it for configurations that have a variable of this name
 * (developer.hashicorp.com/terraform/cloud-docs/run/run-environment#environment-variables).
 */
const RUN_ID = "TFC_RUN_ID";

const REASON =
  "this stack cannot run on a worker of HCP Terraform, nor on an agent: they get the stack's folder alone, without the docker CLI, ssh keys and secrets. Set the workspace's execution mode to local, and deploy where those are. Nothing was changed.";

/**
 * The precondition that Terraform's operations run where the stack is deployed from. With a backend that can run them
 * on a server's workers, a plan there fails with the reason. With any other backend the stack's JSON has nothing of it.
 */
export class LocalOperations extends TerraformElement {
  private static readonly ID = stepId("local");

  static require(scope: Construct): void {
    onlyInStack(scope, LocalOperations.ID, (stack) => new LocalOperations(stack, LocalOperations.ID));
  }

  public override toTerraform(): object {
    if (!hasWorkers(TerraformStack.of(this))) return {};
    const validation = [{ condition: `\${var.${RUN_ID} == ""}`, error_message: REASON }];
    const description = "Set by HCP Terraform on its workers, where this stack cannot run.";
    return { variable: { [RUN_ID]: { type: "string", default: "", description, validation } } };
  }
}

/** Whether a stack's backend can run operations on a server. */
function hasWorkers(stack: TerraformStack): boolean {
  const { cloud, backend } = Object.assign(
    {},
    ...stack.node
      .findAll()
      .filter((construct) => TerraformBackend.isBackend(construct))
      .map((construct) => (construct as TerraformBackend).toTerraform().terraform),
  );
  return cloud !== undefined || backend?.remote !== undefined;
}
