import type { BackendEntry } from "../cluster/file/schema";
import { backendOf } from "../cluster/resolve/state-backend";
import { escapedAll } from "./escape";
import { fromStack } from "./project-path";

/** Terraform's JSON of a stack's backend. A local path is relative to a folder at the depth of the stacks' folders. */
export function backendBlock(entry: BackendEntry | undefined, stack: string): object {
  const { type, arguments: given } = backendOf(entry, stack);
  const args = escapedAll(type === "local" ? { path: fromStack(String(given.path)) } : given);
  return { terraform: type === "cloud" ? { cloud: args } : { backend: { [type]: args } } };
}
