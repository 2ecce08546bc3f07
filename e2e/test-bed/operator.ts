import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Binaries } from "./binaries";
import type { CommandOptions, CommandResult, RunningCommand } from "./command";
import type { TestBedMachine } from "./machine";
import { writeSshWrapper } from "./ssh";
import { ensureClientCertificate } from "./tls";

/**
 * The variables that are copied from the real environment. No other is: a stray DOCKER_HOST or TF_VAR_ would change
 * what is tested.
 */
const PASSED_ON = [
  "PATH",
  "LANG",
  "LC_ALL",
  "TERM",
  "COLORTERM",
  "TZ",
  "USER",
  "LOGNAME",
  "SHELL",
  "CI",
  "FORCE_COLOR",
  "NO_COLOR",
];

/** An operator on a machine of the test bed, with a home, Terraform and its provider, docker and ssh. */
export class Operator {
  private readonly folder: string;

  constructor(readonly machine: TestBedMachine) {
    this.folder = path.join(machine.folder, "operator");
  }

  /** The operator's home folder; `.docker` in it holds ca.pem, cert.pem and key.pem. */
  get home(): string {
    return path.join(this.folder, "home");
  }

  /** The first folder on the operator's PATH: programs in it come before the real machine's. */
  get bin(): string {
    return path.join(this.folder, "bin");
  }

  /** For temporary files. Programs that are killed leave some, and the test bed's end removes them. */
  private get temporary(): string {
    return path.join(this.folder, "tmp");
  }

  /** The whole environment that commands get. */
  get env(): NodeJS.ProcessEnv {
    const passedOn = PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
    return {
      ...(Object.fromEntries(passedOn) as NodeJS.ProcessEnv),
      PATH: `${this.bin}:${process.env.PATH ?? "/usr/bin:/bin"}:/usr/sbin:/sbin`,
      HOME: this.home,
      TMPDIR: this.temporary,
      TF_CLI_CONFIG_FILE: this.terraformConfig,
      // The CDKTF CLI locks providers. For that, Terraform would ask their registry, despite its configuration.
      TF_CLI_ARGS_providers_lock: `-fs-mirror=${this.providers}`,
      TF_IN_AUTOMATION: "1",
      CHECKPOINT_DISABLE: "1",
      // npm's cache works without a network.
      npm_config_cache: process.env.npm_config_cache ?? path.join(os.homedir(), ".npm"),
      npm_config_offline: "true",
      npm_config_update_notifier: "false",
      CONSUL_CDKTF_RIG_MACHINE: this.machine.name,
    };
  }

  /** Makes the operator's files; starts nothing. */
  async prepare(binaries: Binaries, withCertificate: boolean): Promise<void> {
    for (const folder of [this.bin, this.home, this.temporary]) fs.mkdirSync(folder, { recursive: true });
    fs.rmSync(this.providers, { force: true });
    fs.symlinkSync(binaries.providerMirror, this.providers);
    fs.writeFileSync(
      this.terraformConfig,
      `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(binaries.providerMirror)}\n  }\n}\n`,
    );
    writeSshWrapper(this.bin);
    if (binaries.terraform) this.offer("terraform", binaries.terraform);
    if (withCertificate) await ensureClientCertificate(path.join(this.home, ".docker"));
  }

  /** Puts a program on the operator's PATH. */
  offer(name: string, program: string): void {
    const link = path.join(this.bin, name);
    fs.rmSync(link, { force: true });
    fs.symlinkSync(program, link);
  }

  /** Does what `docker login` does, which needs a daemon on the operator's machine. */
  logIn(registry: string, { username, password }: { readonly username: string; readonly password: string }): void {
    const auth = Buffer.from(`${username}:${password}`).toString("base64");
    fs.writeFileSync(path.join(this.home, ".docker/config.json"), JSON.stringify({ auths: { [registry]: { auth } } }));
  }

  /** Runs a command as the operator; `env` is added to the operator's environment. */
  run(command: string, args: readonly string[] = [], options: CommandOptions = {}): Promise<CommandResult> {
    return this.machine.run(command, args, this.withEnvironment(options));
  }

  /** Starts a command in the background as the operator. */
  spawn(command: string, args: readonly string[] = [], options: CommandOptions = {}): RunningCommand {
    return this.machine.spawn(command, args, this.withEnvironment(options));
  }

  /** The mirror with the Docker provider. */
  get providers(): string {
    return path.join(this.folder, "providers");
  }

  /** Where Terraform takes providers from. */
  get terraformConfig(): string {
    return path.join(this.folder, "terraform.rc");
  }

  private withEnvironment(options: CommandOptions): CommandOptions {
    return { ...options, cwd: options.cwd ?? process.cwd(), env: { ...this.env, ...options.env } };
  }
}
