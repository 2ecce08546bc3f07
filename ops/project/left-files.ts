import { existsSync } from "node:fs";
import { dirname, relative } from "node:path";
import type { Cluster } from "../../cluster/model";
import { privatePath, secretsFolder } from "../../cluster/resolve/defaults";
import { backendOf } from "../../cluster/resolve/state-backend";

/*
 * A cluster whose file got a private folder after its first deploy: what is still where it was, and how to move it.
 */

/** What to do about secrets that are not where the file says, and are at the other of their two usual locations. */
export function secretsLeft({ name, privateFolder, security }: Cluster): string | undefined {
  if (privateFolder === undefined || !security) return undefined;
  const [inProject, outside] = [secretsFolder(name), privatePath(privateFolder, secretsFolder(name))];
  const { secrets } = security;
  if (secrets === outside && existsSync(inProject))
    return `they are in ${inProject}. For a running cluster write \`security: { secrets: ${inProject} }\`, because another path replaces every container; for a new one: mkdir -p -m 700 ${dirname(outside)} && mv ${inProject} ${outside}`;
  if (secrets === inProject && existsSync(outside))
    return `they are in ${outside}, and the link to them is gone: mkdir -p ${dirname(inProject)} && ln -s ${relative(dirname(inProject), outside)} ${inProject}`;
  return undefined;
}

/** What to do about a stack's Terraform state that is still in the project. */
export function stateLeft({ privateFolder, backend }: Cluster, stack: string): string | undefined {
  const { type, arguments: given } = backendOf(backend, stack);
  const inProject = String(backendOf(undefined, stack).arguments.path);
  if (privateFolder === undefined || type !== "local" || given.path === inProject) return undefined;
  if (!existsSync(inProject)) return undefined;
  return `if ${inProject} has it: mkdir -p -m 700 ${dirname(String(given.path))} && mv ${inProject} ${given.path}`;
}
