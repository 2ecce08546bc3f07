import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { run } from "../e2e/test-bed/command";
import { type Progress, timed } from "../e2e/test-bed/progress";
import { PROJECT } from "./measured-run";

/** The template's packages, some of which the product has not: kept from one benchmark to the next. */
const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "consul-cdktf-bench");
const TEMPLATE = join(PROJECT, "node_modules/cdktf-cli/bundle/templates/typescript");
/** What runs TypeScript there, and where somebody has replaced the template's own choice. */
const RUNNERS = { "ts-node": "10.9.2", tsx: "4.23.15" };
/** What `cdktf init` installs (its .hooks.sscaff.js), and the provider: at the product's versions, where it has them. jest brings types, which are checked too. */
const PACKAGES = ["cdktf", "constructs", "@cdktf/provider-docker", "@types/node", "typescript", "jest", "@types/jest"];

/** Fills a folder with a project of CDKTF's stock TypeScript template, whose main.ts is the plain program. */
export async function makeStockProject(folder: string, progress: Progress): Promise<void> {
  await installStockPackages(progress);
  symlinkSync(join(CACHE, "node_modules"), join(folder, "node_modules"));
  const config = JSON.parse(readFileSync(join(TEMPLATE, "cdktf.json"), "utf8").replace("{{futureFlags}}", ""));
  writeFileSync(
    join(folder, "cdktf.json"),
    JSON.stringify({ ...config, projectId: "bench", sendCrashReports: "false" }),
  );
  for (const file of ["tsconfig.json", "package.json"]) cpSync(join(TEMPLATE, file), join(folder, file));
  cpSync(join(__dirname, "plain-cdktf.ts"), join(folder, "main.ts"));
  cpSync(join(__dirname, "bench-hosts.ts"), join(folder, "bench-hosts.ts"));
  // Where the plain program finds the scripts' text.
  cpSync(join(PROJECT, "container"), join(folder, "../container"), { recursive: true });
}

/** tsx as Node's --import takes it, for programs in any folder. */
export const tsxLoader = (): string => pathToFileURL(createRequire(join(CACHE, "package.json")).resolve("tsx")).href;

export async function installStockPackages(progress: Progress): Promise<void> {
  const own = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8"));
  const versions: Record<string, string> = { ...own.dependencies, ...own.devDependencies };
  const dependencies = { ...Object.fromEntries(PACKAGES.map((name) => [name, versions[name]])), ...RUNNERS };
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
