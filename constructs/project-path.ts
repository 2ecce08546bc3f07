/**
 * A Terraform expression of a path that is absolute, in the home folder (`~/...`), or relative to the project. With an
 * expression the synthesized JSON is the same in every checkout, although a stack is applied in cdktf.out/stacks/<stack>.
 */
export function projectPath(path: string): string {
  if (path.startsWith("~")) return `\${pathexpand(${JSON.stringify(path)})}`;
  return path.startsWith("/")
    ? path
    : `\${abspath("\${path.root}/${PROJECT_FROM_STACK}/${JSON.stringify(path).slice(1, -1)}")}`;
}

/** The path from a stack's folder to the project's. */
const PROJECT_FROM_STACK = "../../..";

/**
 * The same path relative to the folder that Terraform runs in. Values that Terraform stores in its state use it, because
 * they must not differ between checkouts.
 */
export const fromStack = (path: string): string => (path.startsWith("/") ? path : `${PROJECT_FROM_STACK}/${path}`);
