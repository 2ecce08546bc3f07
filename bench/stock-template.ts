import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { run } from "../e2e/rig/command";
import { type Progress, timed } from "../e2e/rig/progress";
import { PROJECT } from "./measured-run";

/** The template's packages, some of which the product has not: kept from one benchmark to the next. */
const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "consul-cdktf-bench");
const TEMPLATE = join(PROJECT, "node_modules/cdktf-cli/bundle/templates/typescript");
/** What `cdktf init` installs (its .hooks.sscaff.js), and the provider: at the product's versions, where it has them. jest brings types, which are checked too. */
const PACKAGES = ["cdktf", "constructs", "@cdktf/provider-docker", "@types/node", "typescript", "jest", "@types/jest"];
const TS_NODE = "10.9.2";

/** Fills a folder with a project of CDKTF's stock TypeScript template, whose main.ts is the plain program. */
export async function makeStockProject(folder: string, progress: Progress): Promise<void> {
  await installPackages(progress);
  symlinkSync(join(CACHE, "node_modules"), join(folder, "node_modules"));
  const config = JSON.parse(readFileSync(join(TEMPLATE, "cdktf.json"), "utf8").replace("{{futureFlags}}", ""));
  writeFileSync(join(folder, "cdktf.json"), JSON.stringify({ ...config, projectId: "bench", sendCrashReports: "false" }));
  for (const file of ["tsconfig.json", "package.json"]) cpSync(join(TEMPLATE, file), join(folder, file));
  cpSync(join(__dirname, "plain-cdktf.ts"), join(folder, "main.ts"));
  cpSync(join(__dirname, "bench-hosts.ts"), join(folder, "bench-hosts.ts"));
  // Where the plain program finds the scripts' text.
  cpSync(join(PROJECT, "constructs"), join(folder, "../constructs"), { recursive: true });
}

async function installPackages(progress: Progress): Promise<void> {
  const own = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8"));
  const versions: Record<string, string> = { ...own.dependencies, ...own.devDependencies };
  const dependencies = Object.fromEntries([...PACKAGES.map((name) => [name, versions[name]]), ["ts-node", TS_NODE]]);
  const wanted = JSON.stringify({ private: true, dependencies }, null, 2);
  const installed = join(CACHE, "installed.json");
  if (existsSync(installed) && readFileSync(installed, "utf8") === wanted) return;
  await timed(progress, `installing the template's packages into ${CACHE}`, async () => {
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(join(CACHE, "package.json"), wanted);
    await run("npm", ["install", "--no-audit", "--no-fund"], { cwd: CACHE, timeoutMs: 300_000 });
    writeFileSync(installed, wanted);
  });
}
