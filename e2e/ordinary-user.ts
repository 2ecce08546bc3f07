import { cpSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandOptions, type CommandResult, type RunningCommand, run } from "./test-bed/command";
import type { Operator } from "./test-bed/operator";
import { SSH_FOLDER, writeSshWrapper } from "./test-bed/ssh";

/** `nobody` of Debian: ssh wants a user that passwd has. */
const ID = "65534";

/**
 * A user of the operator's machine who is not root. Whatever programs, providers and keys the operator has in folders of
 * root's, this user has as copies.
 */
export class OrdinaryUser {
  private constructor(
    private readonly operator: Operator,
    private readonly home: string,
  ) {}

  /** @param home a folder to be made, in one that all users may enter */
  static async at(operator: Operator, home: string): Promise<OrdinaryUser> {
    const user = new OrdinaryUser(operator, home);
    for (const folder of [user.bin, user.temporary]) mkdirSync(folder, { recursive: true });
    for (const program of readdirSync(operator.bin).filter((name) => name !== "ssh"))
      cpSync(realpathSync(join(operator.bin, program)), join(user.bin, program));
    const mirror = realpathSync(operator.providers);
    cpSync(mirror, user.providers, { recursive: true, dereference: true });
    user.takeText(operator.terraformConfig, user.terraformConfig, [mirror, user.providers]);
    for (const file of ["id_ed25519", "known_hosts"]) cpSync(join(SSH_FOLDER, file), join(user.ssh, file));
    user.takeText(join(SSH_FOLDER, "config"), join(user.ssh, "config"), [SSH_FOLDER, user.ssh]);
    writeSshWrapper(user.bin, join(user.ssh, "config"));
    await user.own(home);
    return user;
  }

  /** Gives a folder, with all that is in it, to this user. */
  async own(folder: string): Promise<void> {
    await run("chown", ["-R", `${ID}:${ID}`, folder]);
  }

  /** Runs a command as this user. */
  run(command: string, args: readonly string[] = [], options: CommandOptions = {}): Promise<CommandResult> {
    return this.operator.run("setpriv", this.asUser(command, args), this.withEnvironment(options));
  }

  /** Starts a command in the background as this user. */
  spawn(command: string, args: readonly string[] = [], options: CommandOptions = {}): RunningCommand {
    return this.operator.spawn("setpriv", this.asUser(command, args), this.withEnvironment(options));
  }

  /** Takes away the keys and settings of ssh. */
  forgetSsh(): void {
    rmSync(this.ssh, { recursive: true });
    rmSync(join(this.bin, "ssh"));
  }

  private asUser(command: string, args: readonly string[]): string[] {
    return [`--reuid=${ID}`, `--regid=${ID}`, "--clear-groups", "--", command, ...args];
  }

  private withEnvironment(options: CommandOptions): CommandOptions {
    const env = {
      PATH: this.operator.env.PATH?.replace(this.operator.bin, this.bin),
      HOME: this.home,
      TMPDIR: this.temporary,
      USER: "nobody",
      LOGNAME: "nobody",
      TF_CLI_CONFIG_FILE: this.terraformConfig,
      TF_CLI_ARGS_providers_lock: `-fs-mirror=${this.providers}`,
      npm_config_cache: join(this.home, ".npm"),
      ...options.env,
    };
    return { ...options, env };
  }

  private takeText(from: string, to: string, [before, after]: readonly [string, string]): void {
    mkdirSync(join(to, ".."), { recursive: true });
    writeFileSync(to, readFileSync(from, "utf8").replaceAll(before, after));
  }

  private get bin(): string {
    return join(this.home, "bin");
  }

  private get temporary(): string {
    return join(this.home, "tmp");
  }

  private get ssh(): string {
    return join(this.home, ".ssh");
  }

  private get providers(): string {
    return join(this.home, "providers");
  }

  private get terraformConfig(): string {
    return join(this.home, "terraform.rc");
  }
}
