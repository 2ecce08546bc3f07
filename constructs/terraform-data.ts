import { type LocalExecProvisioner, type Precondition, TerraformResource } from "cdktf";
import type { Construct } from "constructs";

export interface TerraformDataProps {
  /** What replaces the resource when it changes. */
  readonly triggersReplace: readonly string[];
  readonly provisioners: LocalExecProvisioner[];
  /** What has to hold for a plan that has this resource; none by default. */
  readonly precondition?: Precondition;
}

/** A terraform_data. CDKTF's own, DataResource, runs `terraform version` while synthesizing, once for each of them: 55 of 60 s at 1000 hosts. */
export class TerraformData extends TerraformResource {
  private readonly triggersReplace: readonly string[];

  constructor(scope: Construct, id: string, { triggersReplace, provisioners, precondition }: TerraformDataProps) {
    super(scope, id, {
      terraformResourceType: "terraform_data",
      terraformGeneratorMetadata: { providerName: "terraform" },
      provisioners,
      ...(precondition && { lifecycle: { precondition: [precondition] } }),
    });
    this.triggersReplace = triggersReplace;
  }

  /** Puts this resource off until others are there. (`node.addDependency` would change nothing in the JSON.) */
  dependOn(others: readonly TerraformData[]): void {
    this.dependsOn = [
      ...(this.dependsOn ?? []),
      ...others.map((other) => `${other.terraformResourceType}.${other.friendlyUniqueId}`),
    ];
  }

  protected override synthesizeAttributes(): Record<string, unknown> {
    return { triggers_replace: this.triggersReplace };
  }
}
