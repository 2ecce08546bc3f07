import { TerraformBackend, type TerraformRemoteState } from "cdktf";
import type { Construct } from "constructs";
import type { BackendEntry } from "../cluster/file/schema";
import { backendOf } from "../cluster/resolve/state-backend";
import { backendBlock } from "./backend-block";

/**
 * A stack's backend, with Terraform's own argument names. CDKTF's classes are not used, because LocalBackend writes an
 * absolute path, and CloudBackend runs `terraform version` while synthesizing.
 */
export class StateBackend extends TerraformBackend {
  private readonly block: object;

  constructor(scope: Construct, entry: BackendEntry | undefined, stack: string) {
    super(scope, "consul_backend", backendOf(entry, stack).type);
    this.block = backendBlock(entry, stack);
  }

  public override toTerraform(): object {
    return this.block;
  }

  /** No stack of this product reads another's Terraform state. */
  public override getRemoteStateDataSource(): TerraformRemoteState {
    throw new Error(
      "a value of one stack cannot be used in another here; give the stacks one backend of CDKTF's own, or pass the value as text",
    );
  }
}
