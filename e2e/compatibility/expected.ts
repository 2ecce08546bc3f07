import { readFileSync } from "node:fs";
import { join } from "node:path";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** A text that stands in many places, by its name; its lines. */
export type Texts = Record<string, string[]>;

/** A stack's entry in CDKTF's manifest without its warnings, and the SHA-256 of the stack's complete JSON text. */
export interface ExpectedStack {
  readonly manifest: Json;
  readonly sha256: string;
}

/** Every stack that is expected, by its case and its name. */
export type Index = Record<string, Record<string, ExpectedStack>>;

export const FOLDER = join(__dirname, "expected");

const read = (file: string) => JSON.parse(readFileSync(join(FOLDER, file), "utf8"));

export const readIndex = (): Index => read("index.json");

/**
 * A stack's JSON, with names in the place of provisioners' scripts: `<script gate.sh>`.
 * @param upload uploaded scripts, which it gets; those that are missing are names: `<upload health.sh>` @default those of
 * that commit
 */
export function readStack(name: string, stack: string, upload: Texts = read("uploads.json")): Json {
  return withTexts(read(`${name}/${stack}.json`), { upload });
}

/** A stack's JSON text as it was synthesized, byte for byte: it can be deployed. */
export function readCompleteStack(name: string, stack: string): string {
  return JSON.stringify(withTexts(readStack(name, stack), { script: read("scripts.json") }), undefined, 2);
}

const NAMED = /<(script|upload) ([\w.-]+)>/g;

function withTexts(value: Json, texts: { readonly script?: Texts; readonly upload?: Texts }): Json {
  if (typeof value === "string") {
    return value.replace(
      NAMED,
      (mark, kind: "script" | "upload", name: string) => texts[kind]?.[name]?.join("\n") ?? mark,
    );
  }
  if (Array.isArray(value)) return value.map((item) => withTexts(item, texts));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withTexts(item, texts)]));
}
