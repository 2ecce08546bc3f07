import { readFileSync } from "node:fs";
import { join } from "node:path";
import { escaped } from "./escape";

const texts = new Map<string, string>();

/** A script's text for a container's upload, which keeps every byte. @param name a file of container/ */
export function uploadText(name: string): string {
  const text = texts.get(name) ?? escaped(readFileSync(join(__dirname, "../container", name), "utf8"));
  texts.set(name, text);
  return text;
}
