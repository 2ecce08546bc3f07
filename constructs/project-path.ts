/**
 * A path for Terraform to find: absolute, of the home folder (`~/...`), or relative to the project. It is a Terraform expression, so
 * that the synthesized JSON is the same in every checkout: a stack is applied in cdktf.out/stacks/<stack>.
 */
export function projectPath(path: string): string {
  if (path.startsWith("~")) return `\${pathexpand(${JSON.stringify(path)})}`;
  return path.startsWith("/")
    ? path
    : `\${abspath("\${path.root}/${PROJECT_FROM_STACK}/${JSON.stringify(path).slice(1, -1)}")}`;
}

/** From the folder of a stack to the project's. */
const PROJECT_FROM_STACK = "../../..";

/** The same by the folder that Terraform runs in, without its place: for what Terraform keeps, since that must not change with the checkout. */
export const fromStack = (path: string): string => (path.startsWith("/") ? path : `${PROJECT_FROM_STACK}/${path}`);
