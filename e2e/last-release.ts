import { readCompleteStack } from "./compatibility/expected";
import type { Project } from "./project";

/** The stack of the article's cluster, as the last release synthesized it. */
const [CASE, STACK] = ["seed", "consul"] as const;
const RELEASED = readCompleteStack(CASE, STACK);
/** The default image of the last release. */
export const [FORMER_IMAGE = ""] = /hashicorp\/consul:[\d.]+/.exec(RELEASED) ?? [];

/** Deploys the article's cluster as the last release did. */
export async function deployReleased(project: Project): Promise<void> {
  project.placeStack(STACK, RELEASED);
  await project.terraform(STACK, ["init", "-input=false"]);
  await project.terraform(STACK, ["apply", "-auto-approve", "-input=false"]);
}
