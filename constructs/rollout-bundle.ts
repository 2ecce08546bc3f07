import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { BuildOptions } from "esbuild";
import { replaceFile } from "./replace-file";

const PROJECT = join(__dirname, "..");
const SOURCES = ["rollout", "consul"];
const CACHE = join(PROJECT, "node_modules", ".cache", "consul-cdktf");
/** Of the npm package, which has no sources. */
const PREBUILT = join(PROJECT, "rollout", "rollout.cjs");

/** The program's beginning. It runs on any Node, so that an old one can say that it is too old. */
const CHECK_NODE = `"use strict";
var nodeVersion = process.versions.node.split(".");
if (Number(nodeVersion[0]) < 20) {
  console.error("Node " + process.versions.node + " is too old for this rollout, which needs 20 or newer where Terraform runs");
  process.exit(1);
}`;

const OPTIONS = {
  absWorkingDir: PROJECT,
  entryPoints: ["rollout/main.ts"],
  bundle: true,
  platform: "node",
  // Syntax that old versions of Node can read as far as the check of their version.
  target: "node12",
  format: "cjs",
  banner: { js: CHECK_NODE },
  legalComments: "none",
  // tsconfig.json is not among the sources by whose hash a build is found.
  tsconfigRaw: {},
  write: false,
} satisfies BuildOptions;

let built: string | undefined;

/**
 * The rollout's program as one file, with everything that it imports. In a checkout it is built when its sources have
 * changed: a build is found by the hash of what it was made of.
 * @returns the file's path
 */
export function rolloutBundle(): string {
  built ??= existsSync(PREBUILT) ? PREBUILT : cached();
  return built;
}

function cached(): string {
  const file = join(CACHE, `rollout-${hashOfSources()}.cjs`);
  if (existsSync(file)) return file;
  const { buildSync } = require("esbuild") as typeof import("esbuild");
  const [output] = buildSync(OPTIONS).outputFiles;
  if (!output) throw new Error("the rollout's program was not built");
  mkdirSync(CACHE, { recursive: true });
  replaceFile(file, output.contents);
  return file;
}

function hashOfSources(): string {
  const hash = createHash("sha256").update(JSON.stringify(OPTIONS));
  hash.update(readFileSync(join(PROJECT, "node_modules", "esbuild", "package.json")));
  for (const folder of SOURCES)
    for (const name of readdirSync(join(PROJECT, folder), { recursive: true, encoding: "utf8" }).sort())
      if (name.endsWith(".ts"))
        hash
          .update(name)
          .update("\0")
          .update(readFileSync(join(PROJECT, folder, name)));
  return hash.digest("hex").slice(0, 16);
}
