import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT, copySources } from "../package/checkout";

/** Fills a folder with a copy of this project, as a user would have it: without what it has made so far, and with its packages installed. */
export function copyProject(folder: string): void {
  copySources(folder);
  symlinkSync(join(CHECKOUT, "node_modules"), join(folder, "node_modules"));
}
