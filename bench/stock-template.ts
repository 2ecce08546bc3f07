import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { run } from "../e2e/rig/command";
import { type Progress, timed } from "../e2e/rig/progress";
import { PROJECT } from "./measured-run";

/** What the template's project has and the product has not: it is kept from one benchmark to the next. */
const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "consul-cdktf-bench");
const TEMPLATE = join(PROJECT, "node_modules/cdktf-cli/bundle/templates/typescript");
const PRODUCT_PACKAGES = ["cdktf", "constructs", "@cdktf/provider-docker"];
const TEMPLATE_PACKAGES = ["ts-node", "typescript", "@types/node"];

/** Fills a folder with a project of CDKTF's stock TypeScript template, whose main.ts is the plain program. */
export async function makeStockProject(folder: string, progress: Progress): Promise<void> {
  await installTemplatePackages(progress);
  const packages = new Map([
    ...PRODUCT_PACKAGES.map((name) => [name, PROJECT] as const),
    ...[...TEMPLATE_PACKAGES, ".bin"].map((name) => [name, CACHE] as const),
  ]);
  for (const [name, from] of packages) {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(from, "node_modules", name), link);
  }
  const config = JSON.parse(readFileSync(join(TEMPLATE, "cdktf.json"), "utf8").replace("{{futureFlags}}", ""));
  writeFileSync(join(folder, "cdktf.json"), JSON.stringify({ ...config, projectId: "bench", sendCrashReports: "false" }));
  for (const file of ["tsconfig.json", "package.json"]) cpSync(join(TEMPLATE, file), join(folder, file));
  cpSync(join(__dirname, "plain-cdktf.ts"), join(folder, "main.ts"));
  cpSync(join(__dirname, "bench-hosts.ts"), join(folder, "bench-hosts.ts"));
  // Where the plain program finds the scripts' text.
  cpSync(join(PROJECT, "constructs"), join(folder, "../constructs"), { recursive: true });
}

async function installTemplatePackages(progress: Progress): Promise<void> {
  const { devDependencies } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as { devDependencies: Record<string, string> };
  const versions = { ...devDependencies, "ts-node": "10.9.2" };
  const dependencies = Object.fromEntries(TEMPLATE_PACKAGES.map((name) => [name, versions[name as keyof typeof versions]]));
  const wanted = JSON.stringify({ private: true, dependencies }, null, 2);
  const manifest = join(CACHE, "package.json");
  const installed = join(CACHE, "installed.json");
  if (existsSync(installed) && readFileSync(installed, "utf8") === wanted) return;
  await timed(progress, `installing the template's packages into ${CACHE}`, async () => {
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(manifest, wanted);
    await run("npm", ["install", "--no-audit", "--no-fund"], { cwd: CACHE, timeoutMs: 300_000 });
    writeFileSync(installed, wanted);
  });
}
