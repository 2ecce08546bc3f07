import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";

/** The real location of a path. Its end need not exist. */
function realLocation(path: string): string {
  const absolute = resolve(path);
  const above = dirname(absolute);
  if (existsSync(absolute)) return realpathSync(absolute);
  return above === absolute ? absolute : join(realLocation(above), basename(absolute));
}

/** The git checkouts that a real location is in, the innermost first. A file `.git` is a linked checkout or a submodule. */
function checkoutsAround(location: string): string[] {
  const above = dirname(location);
  const further = above === location ? [] : checkoutsAround(above);
  return existsSync(join(location, ".git")) ? [location, ...further] : further;
}

/** The git checkout that a path is in, where `git clean -fdx` removes it. The path need not exist, nor the program git. */
export const checkoutOf = (path: string): string | undefined => checkoutsAround(realLocation(path))[0];

/**
 * A private folder for a project, as its cluster file names it: beside the git checkout that the project is in, and beside
 * those around that one, as far as this user can write there.
 * @param root the project's folder, which need not exist
 * @param cluster names the private folder, if the project's folder has no letters that a path of the file can have
 */
export function privateFolderBeside(root: string, cluster: string): string {
  const project = realLocation(root);
  const [inner = project, ...outer] = checkoutsAround(project);
  const checkout = outer.filter((each) => isWritable(dirname(each))).at(-1) ?? inner;
  const beside = dirname(checkout);
  const words = relative(beside, project)
    .split(sep)
    .map((word) => word.replace(/[^\w.-]+/g, "-"));
  const name = words.every((word) => /\w/.test(word)) ? words.join("-") : cluster;
  return `${relative(project, beside) || ".."}/${name}-private`;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
