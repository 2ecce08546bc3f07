import * as fs from "node:fs";
import * as http from "node:http";
import * as path from "node:path";
import { currentEngineFolder } from "./binaries";
import { type CommandOptions, type CommandResult, type RunningCommand, run, start } from "./command";
import { ensureDisk, removeWithDisks } from "./disk";
import { TestBedMachine } from "./machine";
import { send, waitForEnd } from "./processes";
import { writeSshdConfig } from "./ssh";
import { ensureServerCertificate } from "./tls";
import {
  CGROUP,
  ENGINES,
  type Engine,
  type Machine,
  OPEN_REGISTRY,
  PLAIN_TCP_HOST,
  PLAIN_TCP_PORT,
  PRIVATE_REGISTRY,
  TLS_PORT,
} from "./world";

/** What kind of daemon a host runs. */
export interface DockerHostOptions {
  /** Docker's own bridge and iptables, for user-defined networks; else host networking only. @default false */
  readonly bridge?: boolean;
  /** Listen on the LAN (tcp) and run sshd. @default true */
  readonly remote?: boolean;
  /** Its Docker Engine. @default Debian's */
  readonly engine?: Engine;
}

/** What a daemon tells about itself: the part of its answer to `docker info` that is read here. */
interface DaemonInfo {
  readonly ServerVersion: string;
  readonly Driver: string;
  readonly DriverStatus: readonly (readonly [string, string])[];
}

const DAEMON = /^(\S*\/)?dockerd /;
const SSHD = /^sshd: .*\[listener\]/;
const START_TIMEOUT_MS = 60_000;
/** Within this time a process that was started shows under its own name. */
const LAUNCH_MS = 1_000;
/** More than the daemon's own limit for stopping its containers. */
const STOP_TIMEOUT_MS = 60_000;

/** A machine with a Docker daemon of its own. */
export class DockerHost extends TestBedMachine {
  private wantedEngine: Engine;
  /** The daemon's socket, as the real machine sees it. On the host itself it is /var/run/docker.sock. */
  readonly socket: string;
  /** The daemon's address for a client on another machine, or undefined where it listens on no port. */
  readonly tcp: string | undefined;
  private readonly bridge: boolean;
  /** Settings of a daemon.json of this host's own, from the daemon's next start on. */
  daemonSettings: Readonly<Record<string, unknown>> = {};

  constructor(machine: Machine, options: DockerHostOptions = {}) {
    super(machine);
    this.socket = path.join(this.folder, "docker.sock");
    this.bridge = options.bridge ?? false;
    this.wantedEngine = options.engine ?? ENGINES.debian;
    const port = this.name === PLAIN_TCP_HOST ? PLAIN_TCP_PORT : TLS_PORT;
    this.tcp = (options.remote ?? true) ? `tcp://${this.address}:${port}` : undefined;
  }

  /** True while the daemon is reachable. */
  get isDaemonUp(): Promise<boolean> {
    return this.get("/_ping", 2_000).then((answer) => answer !== undefined);
  }

  /** The host's Docker Engine, as it is set. */
  get engine(): Engine {
    return this.wantedEngine;
  }

  /**
   * Gives the host another Docker Engine, without containers, networks and volumes. Its images are those that it has
   * pulled with this Engine. Until a test changes it, and in all other files of tests, each host has Debian's.
   */
  async useEngine(engine: Engine): Promise<void> {
    this.wantedEngine = engine;
    await this.reset();
  }

  /**
   * Gives the host an empty disk, of so many MiB. Until a test changes it, and in all other files of tests, it is as large
   * as half of the machine's memory.
   */
  async useDisk(mebibytes?: number): Promise<void> {
    await this.powerOff();
    await removeWithDisks(this.disk);
    await ensureDisk(this.disk, mebibytes);
    await this.reset();
  }

  /** The version and the image store that the daemon tells, or undefined while it is not reachable. */
  async runningEngine(): Promise<string | undefined> {
    const answer = await this.get("/info", 10_000);
    if (answer === undefined) return undefined;
    const { ServerVersion, Driver, DriverStatus } = JSON.parse(answer) as DaemonInfo;
    const isContainerd = DriverStatus.some(([, value]) => value.startsWith("io.containerd.snapshotter"));
    return `Docker Engine ${ServerVersion}, image store: ${isContainerd ? "containerd" : Driver}`;
  }

  /** Starts the machine, its daemon and its sshd, unless they run. A machine with another Engine is restarted. */
  async ensureUp(): Promise<void> {
    if (this.hasAnotherEngine()) await this.powerOff();
    await ensureDisk(this.disk);
    await this.powerOn();
    await this.startDaemonIfDown();
    if (this.tcp && this.processes(SSHD).length === 0) {
      const config = writeSshdConfig(this, this.folder);
      await this.run("/usr/sbin/sshd", ["-f", config, "-E", path.join(this.folder, "sshd.log")]);
    }
  }

  /** Where the docker CLI reaches the daemon from the real machine. */
  private get endpoint(): string {
    return `unix://${this.socket}`;
  }

  /** Runs the docker CLI against this host's daemon. */
  docker(...args: string[]): Promise<CommandResult> {
    return this.dockerWith({}, ...args);
  }

  /** Which container has a name, and since when it runs: it tells whether one was replaced or restarted. */
  async incarnation(name: string): Promise<string> {
    return (await this.docker("inspect", "-f", "{{.Id}} {{.State.StartedAt}}", name)).stdout.trim();
  }

  /** Runs the docker CLI against this host's daemon, with options for the command. */
  dockerWith(options: CommandOptions, ...args: string[]): Promise<CommandResult> {
    const { DOCKER_CONTEXT: _context, DOCKER_TLS_VERIFY: _tls, ...env } = options.env ?? process.env;
    return run("docker", ["-H", this.endpoint, ...args], { ...options, env });
  }

  /** Prints events of the daemon from now on, each as a line, until it gets a signal. */
  watch(filter: string, format: string): RunningCommand {
    return start("docker", ["-H", this.endpoint, "events", "--filter", filter, "--format", format]);
  }

  /**
   * Prints what the containers that have a name write from now on, one container after the other, until it gets a
   * signal.
   */
  follow(container: string): RunningCommand {
    const logs = 'docker -H "$1" logs --follow --since "$since" "$2"';
    const script = `since=$(date +%s.%N); while :; do ${logs} 2>&1; since=$(date +%s.%N); sleep 0.5; done`;
    return start("sh", ["-c", script, "sh", this.endpoint, container]);
  }

  /** Starts the daemon, unless it is reachable, and waits until it is. */
  async startDaemonIfDown(): Promise<void> {
    if (await this.isDaemonUp) return;
    // A daemon that runs and is not reachable yet may be starting, e.g. after an `up` that was interrupted.
    if (this.processes(DAEMON).length === 0) {
      await this.run("rm", ["-f", "/run/docker.pid"]);
      await this.startDaemon(
        "dockerd.log",
        this.isDebians ? "dockerd" : path.join(currentEngineFolder(), "dockerd"),
        "--config-file",
        await this.writeConfig(),
        ...(this.usesTls ? [] : PLAIN_TCP_CONSENT),
      );
    }
    const begun = Date.now();
    while (!(await this.isDaemonUp)) {
      const waited = Date.now() - begun;
      const hasDied = waited > LAUNCH_MS && this.processes(DAEMON).length === 0;
      if (hasDied || waited > START_TIMEOUT_MS) {
        throw new Error(`dockerd of ${this.name} does not start; the end of its log:\n${this.logTail()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Stops the daemon as its service manager would; containers are stopped too. */
  async stopDaemon(): Promise<void> {
    const daemons = this.processes(DAEMON);
    for (const pid of daemons) send(pid, "SIGTERM");
    if (!(await waitForEnd(daemons, STOP_TIMEOUT_MS))) throw new Error(`dockerd of ${this.name} does not stop`);
  }

  /** Stops the daemon and starts it again; containers with a restart policy come back. */
  async restartDaemon(): Promise<void> {
    await this.stopDaemon();
    await this.startDaemonIfDown();
  }

  /** Crashes the daemon (SIGKILL); its containers run on without it. */
  async killDaemon(): Promise<void> {
    const daemons = this.processes(DAEMON);
    for (const pid of daemons) send(pid, "SIGKILL");
    await waitForEnd(daemons, STOP_TIMEOUT_MS);
  }

  /** Removes all containers, networks and volumes, and repairs everything that a test may have broken; images stay. */
  async reset(): Promise<void> {
    await this.ensureUp();
    await this.connect();
    const ids = async (...args: string[]) => (await this.docker(...args)).stdout.split("\n").filter(Boolean);
    const containers = await ids("ps", "--all", "--quiet");
    if (containers.length > 0) await this.docker("rm", "--force", "--volumes", ...containers);
    const networks = await ids("network", "ls", "--quiet", "--filter", "type=custom");
    if (networks.length > 0) await this.docker("network", "rm", ...networks);
    const volumes = await ids("volume", "ls", "--quiet");
    if (volumes.length > 0) await this.docker("volume", "rm", "--force", ...volumes);
  }

  private get isDebians(): boolean {
    return this.engine.version === ENGINES.debian.version;
  }

  private get disk(): string {
    return path.join(this.folder, "disk");
  }

  /** Its images, containers and volumes. Each Engine has its own, since an older one cannot read those of a newer one. */
  get dataRoot(): string {
    const { version, imageStore } = this.engine;
    return path.join(this.disk, this.isDebians ? "data" : `data-${version}-${imageStore}`);
  }

  private get configFile(): string {
    return path.join(this.folder, "daemon.json");
  }

  /** True if the daemon that was started last, which a test may have killed, is not of this Engine. */
  private hasAnotherEngine(): boolean {
    if (!fs.existsSync(this.configFile)) return false;
    return JSON.parse(fs.readFileSync(this.configFile, "utf8"))["data-root"] !== this.dataRoot;
  }

  /** The body of the daemon's answer, or undefined while it is not reachable. */
  private get(address: string, timeoutMs: number): Promise<string | undefined> {
    return new Promise((resolve) => {
      const request = http.get({ socketPath: this.socket, path: address, timeout: timeoutMs }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => (body += text));
        response.on("end", () => resolve(response.statusCode === 200 ? body : undefined));
        response.on("error", () => resolve(undefined));
      });
      request.on("timeout", () => request.destroy());
      request.on("error", () => resolve(undefined));
    });
  }

  private get usesTls(): boolean {
    return this.tcp?.endsWith(`:${TLS_PORT}`) ?? false;
  }

  /** A separate file, so that the real machine's /etc/docker/daemon.json does not apply. */
  private async writeConfig(): Promise<string> {
    const tls = this.usesTls ? await ensureServerCertificate(this, path.join(this.folder, "tls")) : undefined;
    const isContainerd = this.engine.imageStore === "containerd";
    const settings = {
      hosts: ["unix:///run/docker.sock", this.endpoint, ...(this.tcp ? [this.tcp] : [])],
      "data-root": this.dataRoot,
      ...(isContainerd ? { features: { "containerd-snapshotter": true } } : { "storage-driver": "overlay2" }),
      // Beside it, Debian's docker-proxy is on PATH. It does not understand a newer daemon's options.
      ...(this.isDebians ? {} : { "userland-proxy-path": path.join(currentEngineFolder(), "docker-proxy") }),
      // With systemd's driver, all hosts' containers would be in one place, and their hosts unknown.
      "exec-opts": ["native.cgroupdriver=cgroupfs"],
      "cgroup-parent": `/${CGROUP}/${this.name}`,
      "registry-mirrors": [`http://${OPEN_REGISTRY}`],
      "insecure-registries": [OPEN_REGISTRY, PRIVATE_REGISTRY],
      ...(this.bridge ? {} : { bridge: "none", iptables: false, ip6tables: false, "userland-proxy": false }),
      ...(tls ? { tlsverify: true, tlscacert: tls.ca, tlscert: tls.cert, tlskey: tls.key } : {}),
      ...this.daemonSettings,
    };
    fs.writeFileSync(this.configFile, JSON.stringify(settings, undefined, 2));
    return this.configFile;
  }

  private logTail(): string {
    const log = path.join(this.folder, "dockerd.log");
    return fs.existsSync(log) ? fs.readFileSync(log, "utf8").trimEnd().split("\n").slice(-15).join("\n") : "(none)";
  }
}

/** Without this option, a daemon with a plain tcp port warns and waits 15 s at every start. */
const PLAIN_TCP_CONSENT = ["--tls=false"];
