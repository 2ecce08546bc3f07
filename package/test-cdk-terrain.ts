import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CdktfManifest, withCdkTerrain } from "../ops/project/cdk-terrain";
import { withTempDir } from "../ops/temp-dir";
import { CHECKOUT, copySources } from "./checkout";

const USAGE = `usage: npm run test:cdktn -- [--live] [PATTERN...]
  Runs the unit tests with CDK Terrain in the place of CDKTF, in a copy of this checkout.
  --live  also deploys from a project that "init --cdktn" makes, on the test bed`;

/** CDK Terrain's CLI needs Node 22. As a package, it is found before the machine's own. */
const NODE = "22.23.3";

/** Its CLI runs Terraform without a pseudo-terminal, and does not bring the library of this test. */
const PTY_TEST = "ops/terraform/drain-pty-test";

async function main(args: readonly string[]): Promise<void> {
  const patterns = args.filter((arg) => arg !== "--live");
  if (patterns.some((pattern) => pattern.startsWith("-"))) throw new Error(USAGE);
  await withTempDir(join(tmpdir(), "consul-cdktf-cdktn-"), async (folder) => {
    copySources(folder);
    installCdkTerrain(folder);
    npm(folder, "exec", "--", "node", "--version");
    npm(folder, "exec", "--", "jest", "--ci", `--testPathIgnorePatterns=${PTY_TEST}`, ...patterns);
  });
  if (!args.includes("--live")) return;
  process.env.CDKTN = "1";
  npm(CHECKOUT, "run", "e2e", "--", "package-e2e");
}

/** Installs what the converted package.json names. The tests then see the product's own package.json again. */
function installCdkTerrain(folder: string): void {
  const file = join(folder, "package.json");
  const own = readFileSync(file, "utf8");
  const { devDependencies, ...manifest } = JSON.parse(own) as CdktfManifest;
  const converted = withCdkTerrain({ ...manifest, devDependencies: { ...devDependencies, node: NODE } });
  writeFileSync(file, JSON.stringify(converted));
  npm(folder, "install", "--no-audit", "--no-fund");
  writeFileSync(file, own);
}

function npm(cwd: string, ...args: string[]): void {
  const { status } = spawnSync("npm", args, { cwd, stdio: "inherit" });
  if (status !== 0) throw new Error(`npm ${args.join(" ")}: exit code ${status}`);
}

main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
