import { cpSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

/** This checkout of the product. */
export const CHECKOUT = resolve(__dirname, "..");
/** What it has beside its sources: what is installed, what is made of them, and what commands write. */
const NO_SOURCE =
  /^(node_modules|cdktf\.out|cdktf\.log|dist|coverage|secrets|backups|\.git|.*\.tgz|.*\.tfstate.*|\.terraform.*)$/;

/** The files and folders of its sources, by name. */
export const sources = (): string[] => readdirSync(CHECKOUT).filter((name) => !NO_SOURCE.test(name));

/** Copies the sources into a folder. */
export function copySources(folder: string): void {
  for (const name of sources()) cpSync(join(CHECKOUT, name), join(folder, name), { recursive: true });
}
