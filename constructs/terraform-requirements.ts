import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Aspects, type TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { stepId } from "../consul/contract";
import { onlyInStack, whenSynthesized } from "./stack";

/** The first Terraform with terraform_data. */
const TERRAFORM_VERSION = ">= 1.4.0";
/**
 * The provider's versions that this product supports. The bindings pin 3.6.2, which fails every plan when one host is down
 * and removes stopped containers while planning (kreuzwerker/terraform-provider-docker#590, #850).
 */
const SUPPORTED_PROVIDERS = "~> 4.5";
/** The one of them that the end-to-end tests deploy with. It moves with releases of this product. */
const TRIED_PROVIDER = "4.6.0";

const PROVIDER_PATH = "terraform.required_providers.docker.version";
const LOCK_FILE = ".terraform.lock.hcl";
/** The provider's version in a lock file, from Terraform's registry or from OpenTofu's. */
const LOCKED = /^provider "[^"]*\/kreuzwerker\/docker" \{\s*version\s*=\s*"([^"]*)"/m;

/**
 * The versions of Terraform and of the Docker provider that a stack needs. A constraint of the stack's owner stays:
 * Terraform checks all constraints that are joined by commas.
 */
export class TerraformRequirements extends Construct {
  private static readonly ID = stepId("requirements");
  private readonly stack: TerraformStack;
  private requiresTriedProvider = false;

  static of(scope: Construct): TerraformRequirements {
    return onlyInStack(
      scope,
      TerraformRequirements.ID,
      (stack) => new TerraformRequirements(stack, TerraformRequirements.ID),
    );
  }

  private constructor(stack: TerraformStack, id: string) {
    super(stack, id);
    this.stack = stack;
    this.join();
    // The owner may have set a constraint since.
    Aspects.of(this).add({ visit: () => this.join() });
  }

  /**
   * Requires the release of the Docker provider that was tried, unless the stack's owner sets another constraint: for
   * stacks that are this product's own.
   */
  requireTriedProvider(): void {
    if (this.requiresTriedProvider) return;
    this.requiresTriedProvider = true;
    this.stack.addOverride(PROVIDER_PATH, TRIED_PROVIDER);
    whenSynthesized(this, (folder) => {
      if (this.hasTriedProvider()) unlockOthers(join(folder, LOCK_FILE));
    });
  }

  private hasTriedProvider(): boolean {
    return this.requiresTriedProvider && overrideOf(this.stack, PROVIDER_PATH) === TRIED_PROVIDER;
  }

  private join(): void {
    if (!this.hasTriedProvider()) this.joinTo(PROVIDER_PATH, SUPPORTED_PROVIDERS);
    this.joinTo("terraform.required_version", TERRAFORM_VERSION);
  }

  private joinTo(path: string, own: string): void {
    const given = overrideOf(this.stack, path);
    const constraints = given === undefined ? [] : given.split(",").map((constraint) => constraint.trim());
    if (!constraints.includes(own)) this.stack.addOverride(path, [...constraints, own].join(", "));
  }
}

/**
 * Removes a lock file of another version of the provider. `terraform init` would fail with it, and the CDKTF CLI adds
 * `-upgrade` only if the locked constraint does not allow the new version: `~> 4.5` allows 4.6.0.
 */
function unlockOthers(lockFile: string): void {
  if (!existsSync(lockFile)) return;
  const [, locked] = LOCKED.exec(readFileSync(lockFile, "utf8")) ?? [];
  if (locked !== undefined && locked !== TRIED_PROVIDER) rmSync(lockFile, { force: true });
}

/** What a stack's `addOverride` has set. CDKTF has no public way to read it. */
function overrideOf(stack: TerraformStack, path: string): string | undefined {
  const { rawOverrides } = stack as unknown as { readonly rawOverrides: object };
  const found = path
    .split(".")
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], rawOverrides);
  return typeof found === "string" ? found : undefined;
}
