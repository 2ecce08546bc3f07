import { cpSync, symlinkSync } from "node:fs";
import { join, relative } from "node:path";
import { PROJECT } from "./measured-run";

/** Fills a folder with a copy of this project, as a user would have it: without what it has made so far, and with its packages installed. */
export function copyProject(folder: string): void {
  cpSync(PROJECT, folder, {
    recursive: true,
    filter: (source) =>
      !/^(node_modules|cdktf\.out|\.git|.*\.tfstate.*|\.terraform.*)$/.test(relative(PROJECT, source)),
  });
  symlinkSync(join(PROJECT, "node_modules"), join(folder, "node_modules"));
}
