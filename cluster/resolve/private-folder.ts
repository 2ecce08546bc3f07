import type { BackendEntry, ParsedClusterFile } from "../file/schema";
import { DEFAULTS, privatePath } from "./defaults";

/** The private folder without a slash at its end. Undefined if the file names none. */
export const privateFolderOf = ({ private_folder }: Pick<ParsedClusterFile, "private_folder">): string | undefined =>
  private_folder?.replace(/\/$/, "");

/** A backend whose local path is in the private folder, unless it has a path. Other backends stay. */
export function withPrivatePath(
  backend: BackendEntry | undefined,
  privateFolder: string | undefined,
): BackendEntry | undefined {
  if (privateFolder === undefined || (backend !== undefined && backend.local === undefined)) return backend;
  return { local: { path: backend?.local?.path ?? privatePath(privateFolder, DEFAULTS.backend.local) } };
}
