import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { rolloutBundle } from "../constructs/rollout-bundle";

const PROJECT = join(__dirname, "..");
const DIST = join(PROJECT, "dist");

/** What the program reads beside its code: scripts of containers and of commands, and the pipelines' files. */
const isRead = (name: string): boolean => /\.(sh|yml)$/.test(name);

/** Builds what the npm package contains: JavaScript, declarations, scripts, and the rollout's program as one file. */
function build(): void {
  rmSync(DIST, { recursive: true, force: true });
  const tsc = join(PROJECT, "node_modules", ".bin", "tsc");
  execFileSync(tsc, ["--project", join(__dirname, "tsconfig.json")], { stdio: "inherit" });
  for (const folder of ["container", "ops"])
    for (const name of readdirSync(join(PROJECT, folder), { recursive: true, encoding: "utf8" }).filter(isRead))
      cpSync(join(PROJECT, folder, name), join(DIST, folder, name));
  copyFileSync(rolloutBundle(), join(DIST, "rollout", "rollout.cjs"));
  copyFileSync(join(PROJECT, "cluster", "cluster.schema.json"), join(DIST, "cluster", "cluster.schema.json"));
  chmodSync(join(DIST, "ops", "main.js"), 0o755);
}

build();
