import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { type CommandOptions, type CommandResult, type RunningCommand, run, start } from "./command";
import { ensureNetns, isPluggedIn, netnsOf, removeNetns, setPlugged } from "./network";
import { commandLine, initInNetns, killAndWait, livesInNetns, processesBeside, processesMatching } from "./processes";
import { MACHINES_FOLDER, type Machine, REGISTRY } from "./world";

/**
 * A machine on the LAN: its own namespaces for network, mounts, processes and host name, around the real machine's
 * files.
 *
 * Its pid 1 is the power cord: when it ends, the kernel ends every process on the machine, containers' too, and
 * removes every mount.
 */
export class TestBedMachine implements Machine {
  readonly name: string;
  readonly address: string;
  /** The machine's folder; what is in it survives a power cut. */
  readonly folder: string;
  private knownInit: number | undefined;

  constructor(machine: Machine) {
    this.name = machine.name;
    this.address = machine.address;
    this.folder = path.join(MACHINES_FOLDER, machine.name);
  }

  /** Pid 1 of the machine as the real machine counts, or undefined when it is off. */
  get init(): number | undefined {
    if (this.knownInit && livesInNetns(this.knownInit, netnsOf(this))) return this.knownInit;
    this.knownInit = initInNetns(netnsOf(this));
    return this.knownInit;
  }

  /** True while the machine is on. */
  get isOn(): boolean {
    return this.init !== undefined && fs.existsSync(path.join(this.folder, "ready"));
  }

  /** Switches the machine on, unless it is on. */
  async powerOn(): Promise<void> {
    if (this.isOn && (await isPluggedIn(this))) return;
    // An interrupted start may have left anything: start from nothing.
    await this.powerOff();
    await ensureNetns(this);
    const ready = path.join(this.folder, "ready");
    fs.mkdirSync(this.folder, { recursive: true });
    fs.rmSync(ready, { force: true });
    fs.writeFileSync(
      path.join(this.folder, "machine.json"),
      JSON.stringify({ name: this.name, address: this.address }),
    );
    fs.writeFileSync(
      path.join(this.folder, "resolv.conf"),
      `nameserver ${REGISTRY.address}\noptions timeout:1 attempts:1\n`,
    );
    fs.writeFileSync(path.join(this.folder, "shadow"), "root:*:19000:0:99999:7:::\n", { mode: 0o640 });

    const log = fs.openSync(path.join(this.folder, "init.log"), "w");
    const child = spawn(
      "nsenter",
      // Not `ip netns exec`, which would hide /sys/fs/cgroup. Its mounts are slaves of the real machine's, so that none
      // is kept busy here.
      [
        `--net=/run/netns/${netnsOf(this)}`,
        "unshare",
        "--mount",
        "--uts",
        "--pid",
        "--kill-child",
        "--mount-proc",
        "--propagation",
        "slave",
        "sh",
        path.join(__dirname, "machine-init.sh"),
        this.name,
        this.folder,
      ],
      { detached: true, stdio: ["ignore", log, log], cwd: "/" },
    );
    child.unref();
    fs.closeSync(log);
    const deadline = Date.now() + 10_000;
    while (!this.isOn) {
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error(
          `machine ${this.name} does not start:\n${fs.readFileSync(path.join(this.folder, "init.log"), "utf8")}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Cuts the power: everything on the machine ends at once, its folder stays. */
  async powerOff(): Promise<void> {
    await removeNetns(netnsOf(this));
    // If somebody has deleted the namespace's name, the process that holds pid 1 still identifies the machine.
    await killAndWait(powerCords(this.folder));
  }

  /** Takes the machine off the LAN, as a pulled cable does. */
  async disconnect(): Promise<void> {
    await setPlugged(this, false);
  }

  /** Puts the machine back on the LAN. */
  async connect(): Promise<void> {
    await setPlugged(this, true);
  }

  /** Runs a command on the machine. */
  run(command: string, args: readonly string[] = [], options: CommandOptions = {}): Promise<CommandResult> {
    return run("nsenter", this.enter(command, args, options.cwd), { ...options, cwd: undefined });
  }

  /** Starts a command on the machine in the background. */
  spawn(command: string, args: readonly string[] = [], options: CommandOptions = {}): RunningCommand {
    return start("nsenter", this.enter(command, args, options.cwd), { ...options, cwd: undefined });
  }

  /** Starts a daemon that outlives this process. Its output goes to a log in the machine's folder. */
  async startDaemon(log: string, command: string, ...args: string[]): Promise<void> {
    const script = 'log=$1; shift; setsid "$@" >>"$log" 2>&1 </dev/null &';
    await this.run("sh", ["-c", script, "sh", path.join(this.folder, log), command, ...args]);
  }

  /** The machine's processes whose command line matches, with the pids that the real machine gives them. */
  processes(pattern: RegExp): number[] {
    return this.init ? processesBeside(this.init).filter((pid) => pattern.test(commandLine(pid))) : [];
  }

  /** The arguments for nsenter that run a command on this machine; a directory is one of the real machine's files. */
  enter(command: string, args: readonly string[], cwd = "/"): string[] {
    if (!this.init) throw new Error(`machine ${this.name} is off: npm run rig up starts it`);
    return [
      "--target",
      String(this.init),
      "--net",
      "--mount",
      "--uts",
      "--pid",
      "--",
      "env",
      `--chdir=${cwd}`,
      command,
      ...args,
    ];
  }
}

/** For all machines below a folder, the outside processes that hold each pid 1, which ends when they end. */
export function powerCords(folder: string): number[] {
  return processesMatching(/^unshare /).filter(
    (pid) => `${commandLine(pid)}/`.includes(`machine-init.sh `) && `${commandLine(pid)}/`.includes(` ${folder}/`),
  );
}
