import { TerraformStack } from "cdktf";
import type { Construct } from "constructs";

/**
 * The Terraform id of a construct's resources: the construct's own id if it stands directly in a stack, else an id that
 * is unique in the stack. A construct's container, image and readiness check all have it, so a plan shows
 * `docker_container.consul-server1`.
 */
export function terraformId(construct: Construct): string {
  return TerraformStack.of(construct).getLogicalId(construct.node);
}
