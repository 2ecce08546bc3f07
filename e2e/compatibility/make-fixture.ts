import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CASES } from "./cases";
import { FOLDER, type Index, type Json, readCompleteStack, type Texts } from "./expected";

/**
 * Writes expected/ by a checkout of another commit, whose folder is the argument: see README.md. It imports nothing of
 * the product, so it stays as it is when the product changes.
 */
const [, , checkout] = process.argv;
if (checkout === undefined) throw new Error("name the folder of a checkout, with its node_modules");

/** What a script's text begins with: the names of the files that it is made of, each on a line before its text. */
const SCRIPT = /^# [a-z-]+\.(sh|jq)\n/;
/** A jq program as the shell's argument, between single quotes, of which it has none. */
const QUOTED = /'(# [a-z-]+\.jq\n[^']*)'/;

const scripts: Texts = {};
const uploads: Texts = {};

function mark(kind: "script" | "upload", texts: Texts, name: string, text: string): string {
  const known = texts[name]?.join("\n") ?? text;
  if (known !== text) throw new Error(`there are two texts of ${name}`);
  texts[name] = text.split("\n");
  return `<${kind} ${name}>`;
}

/** The last of the names, which is the script's own. */
function scriptMark(text: string): string {
  const name = [...text.matchAll(/^# ([a-z-]+\.(sh|jq))$/gm)].at(-1)?.[1];
  if (name === undefined) throw new Error(`a script without a name: ${text.slice(0, 80)}`);
  return mark("script", scripts, name, text);
}

/** In provisioners' environment and in the locals, which are scripts alone. */
function withoutScripts(value: Json): Json {
  if (typeof value !== "string") throw new Error(`no text: ${JSON.stringify(value)}`);
  if (SCRIPT.test(value)) return scriptMark(value);
  return value.replace(QUOTED, (_, text: string) => `'${scriptMark(text)}'`);
}

const mapped = (value: Json, change: (item: Json, key: string) => Json): Json =>
  Object.fromEntries(Object.entries(value as { [key: string]: Json }).map(([key, item]) => [key, change(item, key)]));

function normalForm(value: Json, key = ""): Json {
  if (typeof value === "string" && /<(script|upload) /.test(value))
    throw new Error(`this would be taken for a name: ${value}`);
  if (Array.isArray(value)) return value.map((item) => normalForm(item, key));
  if (typeof value !== "object" || value === null) return value;
  if (key === "locals" || key === "environment") return mapped(value, withoutScripts);
  if (key === "upload" && typeof value.content === "string" && value.content.startsWith("#!")) {
    return { ...value, content: mark("upload", uploads, String(value.file).split("/").at(-1) ?? "", value.content) };
  }
  return mapped(value, normalForm);
}

function write(file: string, content: Json): void {
  mkdirSync(dirname(join(FOLDER, file)), { recursive: true });
  writeFileSync(join(FOLDER, file), `${printed(content, "")}\n`);
}

/** JSON in few lines: what fits into a line is in one. */
function printed(value: Json, indent: string): string {
  const line = JSON.stringify(value);
  if (typeof value !== "object" || value === null || indent.length + line.length <= 120) return line;
  const inner = `${indent} `;
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const items = Array.isArray(value)
    ? value.map((item) => printed(item, inner))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${printed(item, inner)}`);
  return `${open}\n${items.map((item) => inner + item).join(",\n")}\n${indent}${close}`;
}

const sorted = <T>(value: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));

rmSync(FOLDER, { recursive: true, force: true });
const folder = mkdtempSync(join(tmpdir(), "compatibility-"));
const index: Index = {};
const complete: { name: string; stack: string; text: string }[] = [];
for (const { name, text } of CASES) {
  const file = join(folder, "cluster.yaml");
  const output = join(folder, name);
  writeFileSync(file, text);
  execFileSync(process.execPath, ["--require", "./typescript.cjs", "main.ts"], {
    cwd: checkout,
    env: { ...process.env, CLUSTER: file, CDKTF_OUTDIR: output },
  });
  const { stacks } = JSON.parse(readFileSync(join(output, "manifest.json"), "utf8"));
  index[name] = {};
  for (const [stack, { annotations: _, ...manifest }] of Object.entries<{ annotations: Json; [key: string]: Json }>(
    stacks,
  )) {
    const json = readFileSync(join(output, `stacks/${stack}/cdk.tf.json`), "utf8");
    index[name][stack] = { manifest, sha256: createHash("sha256").update(json).digest("hex") };
    write(`${name}/${stack}.json`, normalForm(JSON.parse(json)));
    complete.push({ name, stack, text: json });
  }
}
write("index.json", index as unknown as Json);
write("scripts.json", sorted(scripts));
write("uploads.json", sorted(uploads));
rmSync(folder, { recursive: true });
for (const { name, stack, text } of complete) {
  if (readCompleteStack(name, stack) !== text) throw new Error(`${name}/${stack} cannot be put together again`);
}
