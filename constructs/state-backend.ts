import { TerraformBackend, type TerraformRemoteState } from "cdktf";
import type { Construct } from "constructs";
import type { BackendEntry } from "../cluster/schema";
import { type BackendType, backendOf } from "../cluster/state-backend";
import { literals } from "./literal";
import { PROJECT_FROM_STACK } from "./project-path";

/**
 * A stack's backend, by Terraform's own names. CDKTF's classes are not used: LocalBackend writes an absolute path, and CloudBackend runs
 * `terraform version` while synthesizing.
 */
export class StateBackend extends TerraformBackend {
  private readonly type: BackendType;
  private readonly arguments: Record<string, unknown>;

  constructor(scope: Construct, entry: BackendEntry | undefined, stack: string) {
    const backend = backendOf(entry, stack);
    super(scope, "consul_backend", backend.type);
    this.type = backend.type;
    this.arguments = literals(backend.type === "local" ? { path: fromStack(String(backend.arguments.path)) } : backend.arguments);
  }

  public override toTerraform(): object {
    const { type } = this;
    return { terraform: type === "cloud" ? { cloud: this.arguments } : { backend: { [type]: this.arguments } } };
  }

  /** No stack of this product reads another's state. */
  public override getRemoteStateDataSource(): TerraformRemoteState {
    throw new Error("a value of one stack cannot be used in another here; give the stacks one backend of CDKTF's own, or pass the value as text");
  }
}

const fromStack = (path: string): string => (path.startsWith("/") ? path : `${PROJECT_FROM_STACK}/${path}`);
