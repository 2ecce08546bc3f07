import { Aspects, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { stepId } from "../consul/contract";

/** The first Terraform with terraform_data. */
const TERRAFORM_VERSION = ">= 1.4.0";
/**
 * The provider's versions that this product supports. The bindings pin 3.6.2, which fails every plan when one host is down
 * and removes stopped containers while planning (kreuzwerker/terraform-provider-docker#590, #850).
 */
const DOCKER_PROVIDER_VERSION = "~> 4.5";

const CONSTRAINTS = [
  ["terraform.required_providers.docker.version", DOCKER_PROVIDER_VERSION],
  ["terraform.required_version", TERRAFORM_VERSION],
] as const;

/**
 * The versions of Terraform and of the Docker provider that a stack needs. A constraint of the stack's owner stays:
 * Terraform checks all constraints that are joined by commas.
 */
export class TerraformRequirements extends Construct {
  private static readonly ID = stepId("requirements");

  static of(scope: Construct): TerraformRequirements {
    const stack = TerraformStack.of(scope);
    const existing = stack.node.tryFindChild(TerraformRequirements.ID) as TerraformRequirements | undefined;
    return existing ?? new TerraformRequirements(stack, TerraformRequirements.ID);
  }

  private constructor(stack: TerraformStack, id: string) {
    super(stack, id);
    this.join(stack);
    // The owner may have set a constraint since.
    Aspects.of(this).add({ visit: () => this.join(stack) });
  }

  private join(stack: TerraformStack): void {
    for (const [path, own] of CONSTRAINTS) {
      const given = overrideOf(stack, path);
      const constraints = given === undefined ? [] : given.split(",").map((constraint) => constraint.trim());
      if (!constraints.includes(own)) stack.addOverride(path, [...constraints, own].join(", "));
    }
  }
}

/** What a stack's `addOverride` has set. CDKTF has no public way to read it. */
function overrideOf(stack: TerraformStack, path: string): string | undefined {
  const { rawOverrides } = stack as unknown as { readonly rawOverrides: object };
  const found = path
    .split(".")
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], rawOverrides);
  return typeof found === "string" ? found : undefined;
}
