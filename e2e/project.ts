import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { ClusterFile } from "../cluster/file/schema";
import { cdktfCli } from "../package/cdktf-cli";
import { CHECKOUT, sources } from "../package/checkout";
import type { CommandOptions, CommandResult, RunningCommand } from "./test-bed/command";
import type { Operator } from "./test-bed/operator";

const NPM_DEPLOY = ["run", "-s", "deploy", "--", "--auto-approve"];

/**
 * A checkout of the product for one test, with its own cdktf.out and Terraform state. The other files are links to the
 * real ones, so that the committed code runs.
 */
export class Project {
  /** Has the project, and the private folders beside it. */
  private readonly root = mkdtempSync(join(tmpdir(), "consul-cdktf-e2e-"));
  readonly folder = join(this.root, "project");

  constructor(
    private readonly operator: Operator,
    readonly clusterFile: string,
  ) {
    mkdirSync(this.folder);
    for (const entry of [...sources(), "node_modules"])
      if (entry !== "clusters") symlinkSync(join(CHECKOUT, entry), join(this.folder, entry));
    // Users put their own cluster files here.
    cpSync(join(CHECKOUT, "clusters"), join(this.folder, "clusters"), { recursive: true });
  }

  /** A path of the commands' own, in a cluster's private folder if its file names one. */
  privatePath({ private_folder: privateFolder = "." }: Pick<ClusterFile, "private_folder">, path: string): string {
    return join(this.folder, privateFolder, path);
  }

  /** The secrets folder of a cluster. */
  secretsFolder(cluster: Pick<ClusterFile, "name" | "private_folder">): string {
    return this.privatePath(cluster, join("secrets", cluster.name));
  }

  /** The file with the operator's token of a secured cluster, as a line of an HTTP header. */
  operatorHeader(cluster: Pick<ClusterFile, "name" | "private_folder">): string {
    return join(this.secretsFolder(cluster), "operator/token.header");
  }

  /** Puts an earlier version's JSON of a stack where the CDKTF CLI puts it, without this version's program beside it. */
  placeStack(stack: string, json: string): void {
    const folder = join(this.folder, "cdktf.out/stacks", stack);
    rmSync(join(folder, "rollout.cjs"), { force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "cdk.tf.json"), json);
  }

  /** Has the CDKTF CLI run a program of somebody else's, instead of the product's. */
  useProgram(name: string): void {
    const app = `node --disable-warning=DEP0044 --require ./typescript.cjs ${name}`;
    // A link to the product's own.
    rmSync(join(this.folder, "cdktf.json"));
    writeFileSync(join(this.folder, "cdktf.json"), JSON.stringify({ language: "typescript", app }));
  }

  /** Runs a command as the operator in the project's folder; its output has no colours. */
  async run(command: string, args: readonly string[] = [], options: CommandOptions = {}): Promise<CommandResult> {
    const env = { CLUSTER: this.clusterFile, ...options.env };
    const { stdout, ...rest } = await this.operator.run(command, args, {
      timeoutMs: 240_000,
      ...options,
      cwd: this.folder,
      env,
    });
    return { ...rest, stdout: stripVTControlCharacters(stdout) };
  }

  /**
   * Runs the CDKTF CLI, as docs/changing.md has it, so that Terraform's last lines are in the output; throws if it
   * fails, unless `check` is false.
   */
  cdktf(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    const env = { TERRAFORM_BINARY_NAME: join(this.folder, "ops/terraform/drain-pty.sh"), ...options.env };
    return this.run(cdktfCli(this.folder), args, { ...options, env });
  }

  deploy(options: CommandOptions = {}): Promise<CommandResult> {
    return this.cdktf(["deploy", "--auto-approve"], options);
  }

  /** `npm run deploy`, without being asked. */
  npmDeploy(options: CommandOptions = {}): Promise<CommandResult> {
    return this.run("npm", NPM_DEPLOY, options);
  }

  /** Starts `npm run deploy` in the background, for a test that interrupts it. */
  startNpmDeploy(env: NodeJS.ProcessEnv = {}): RunningCommand {
    return this.operator.spawn("npm", NPM_DEPLOY, { cwd: this.folder, env: { CLUSTER: this.clusterFile, ...env } });
  }

  /** Starts a deploy by the CDKTF CLI in the background, for a test that interrupts it. */
  startDeploy(): RunningCommand {
    const env = { CLUSTER: this.clusterFile };
    return this.operator.spawn(cdktfCli(this.folder), ["deploy", "--auto-approve"], { cwd: this.folder, env });
  }

  /** Destroys everything, with the consent that this needs. */
  destroy(options: CommandOptions = {}): Promise<CommandResult> {
    return this.cdktf(["destroy", "--auto-approve"], {
      ...options,
      env: { CONSUL_ALLOW_QUORUM_LOSS: "yes", ...options.env },
    });
  }

  /** Runs `terraform` in the folder of a synthesized stack. */
  terraform(stack: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return this.run("terraform", [`-chdir=cdktf.out/stacks/${stack}`, ...args], options);
  }

  /** The actions in a synthesized stack's plan, by address: `docker_container.consul-server1: create`. */
  async plannedActions(stack: string): Promise<string[]> {
    const { stdout } = await this.terraform(stack, ["plan", "-json", "-input=false", "-no-color"]);
    return stdout
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line))
      .filter(({ type }) => type === "planned_change")
      .map(({ change }) => `${change.resource.addr}: ${change.action}`)
      .sort();
  }

  synthesized(stack: string): { readonly resource: Record<string, Record<string, unknown>> } {
    return JSON.parse(readFileSync(join(this.folder, "cdktf.out/stacks", stack, "cdk.tf.json"), "utf8"));
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
