import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { escaped } from "./escape";

const FOLDER = join(__dirname, "../container");
const texts = new Map<string, string>();

/** A script's text for a container's upload, which keeps every byte. @param name a file of container/ */
export function uploadText(name: string): string {
  const text = texts.get(name) ?? escaped(readFileSync(join(FOLDER, name), "utf8"));
  texts.set(name, text);
  return text;
}

/** The file of container/ with a script's text, which Terraform uploads. */
export const scriptName = (text: string): string | undefined =>
  text.startsWith("#!") ? readdirSync(FOLDER).find((name) => uploadText(name) === text) : undefined;
