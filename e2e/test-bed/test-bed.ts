import * as fs from "node:fs";
import * as path from "node:path";
import { type Binaries, ensureBinaries, ensureMonitoring, ensureOpenTofu, type MonitoringProgram } from "./binaries";
import { removeControlGroups, weighContainers } from "./control-groups";
import { removeWithDisks } from "./disk";
import { DockerHost } from "./docker-host";
import { withLock } from "./lock";
import { powerCords, TestBedMachine } from "./machine";
import { ensureLan, existingNetns, removeNetns, removeNetnsFolder } from "./network";
import { Operator } from "./operator";
import { installPackages } from "./packages";
import { killAndWait } from "./processes";
import { type Progress, silent, timed } from "./progress";
import { Registry } from "./registry";
import { ensureSshKeys, writeSshClientConfig } from "./ssh";
import { ensureAuthority } from "./tls";
import { DEFAULT_HOSTS, LAN, LOCAL, MACHINES_FOLDER, type Machine, OPERATOR, REGISTRY, RUN_FOLDER } from "./world";

/** Options of TestBed.up. */
export interface TestBedOptions {
  /** The Docker hosts that are needed; others that exist stay. @default the article's three servers and one client */
  readonly hosts?: readonly Machine[];
  /** Takes a line for everything that lasts more than two seconds. @default silent */
  readonly progress?: Progress;
}

/** The status of one machine. */
export interface MachineStatus extends Machine {
  readonly on: boolean;
  /** Whether its daemon or its registries are reachable; undefined if it has none. */
  readonly serving: boolean | undefined;
  /** The Docker Engine that it runs; undefined if it has none, or its daemon is not reachable. */
  readonly engine: string | undefined;
}

const SPECIAL_MACHINES = [OPERATOR, REGISTRY, LOCAL];

/** A LAN of Docker hosts, a registry and an operator's machine, on this one real machine. */
export class TestBed {
  /** Where Terraform and the product's commands run. */
  readonly operator = new Operator(new TestBedMachine(OPERATOR));
  /** The images' source. */
  readonly registry = new Registry();
  /** The daemon of the local topology. */
  readonly localHost = new DockerHost(LOCAL, { bridge: true, remote: false });
  /** An operator on the machine of the local topology, with its daemon at /var/run/docker.sock. */
  readonly local = new Operator(this.localHost);
  private readonly hostsByName = new Map<string, DockerHost>();

  private constructor(
    hosts: readonly Machine[],
    private readonly progress: Progress,
  ) {
    for (const host of hosts) this.hostsByName.set(host.name, new DockerHost(host));
  }

  /** The test bed as it is; starts and repairs nothing. */
  static standing(progress: Progress = silent): TestBed {
    return new TestBed(standingHosts(), progress);
  }

  /** Brings the test bed up: uses what exists, and creates what is missing. */
  static async up(options: TestBedOptions = {}): Promise<TestBed> {
    if (process.getuid?.() !== 0)
      throw new Error("the test bed makes network namespaces and Docker daemons: it needs root");
    if (process.env.CONSUL_CDKTF_RIG_MACHINE)
      throw new Error("this is a machine of the test bed: leave its shell first");
    const progress = options.progress ?? silent;
    return withLock(async () => {
      const testBed = new TestBed(joinHosts(standingHosts(), options.hosts ?? DEFAULT_HOSTS), progress);
      await installPackages(progress);
      const binaries = await ensureBinaries(progress);
      await timed(progress, "bringing the machines up", () => testBed.ensureUp(binaries));
      return testBed;
    });
  }

  /** Removes everything that any `up` created, in whatever state; keeps only the cache. */
  static async down(progress: Progress = silent): Promise<void> {
    if (process.env.CONSUL_CDKTF_RIG_MACHINE)
      throw new Error("this is a machine of the test bed: leave its shell first");
    await withLock(() =>
      timed(progress, "taking the test bed down", async () => {
        await Promise.all(
          existingNetns()
            .filter((netns) => netns !== LAN)
            .map(removeNetns),
        );
        await killAndWait(powerCords(RUN_FOLDER));
        await removeNetns(LAN);
        await removeNetnsFolder();
        await removeControlGroups();
        await removeWithDisks(RUN_FOLDER);
      }),
    );
  }

  /** The Docker hosts, in the order in which they were added. */
  get hosts(): readonly DockerHost[] {
    return [...this.hostsByName.values()];
  }

  /** A Docker host by its name. */
  host(name: string): DockerHost {
    const host = this.hostsByName.get(name);
    if (!host) throw new Error(`the test bed has no host ${name}, only ${[...this.hostsByName.keys()].join(", ")}`);
    return host;
  }

  /** Adds a Docker host, or returns the existing one. */
  async addHost(name: string, address: string): Promise<DockerHost> {
    await withLock(async () => {
      joinHosts(this.hosts, [{ name, address }]);
      if (!this.hostsByName.has(name)) this.hostsByName.set(name, new DockerHost({ name, address }));
      writeSshClientConfig(this.hosts);
      await timed(this.progress, `adding host ${name}`, () => this.host(name).ensureUp());
    });
    return this.host(name);
  }

  /** Removes a Docker host with all its data. */
  async removeHost(name: string): Promise<void> {
    const host = this.host(name);
    await withLock(async () => {
      await host.powerOff();
      await removeControlGroups(name);
      await removeWithDisks(host.folder);
      this.hostsByName.delete(name);
      writeSshClientConfig(this.hosts);
    });
  }

  /** Gives a Docker host another address and keeps its disk, like a machine that moves to another rack. */
  async moveHost(name: string, address: string): Promise<DockerHost> {
    const host = this.host(name);
    await withLock(async () => {
      joinHosts(
        this.hosts.filter((other) => other !== host),
        [{ name, address }],
      );
      await host.powerOff();
      // Its certificate is for its previous address.
      fs.rmSync(path.join(host.folder, "tls"), { recursive: true, force: true });
      this.hostsByName.set(name, new DockerHost({ name, address }, { engine: host.engine }));
      writeSshClientConfig(this.hosts);
      await timed(this.progress, `moving host ${name}`, () => this.host(name).ensureUp());
    });
    return this.host(name);
  }

  /**
   * Removes all containers, networks and volumes on all hosts, and repairs everything that a test has disconnected,
   * stopped or killed.
   */
  async reset(): Promise<void> {
    await this.operator.machine.powerOn();
    await Promise.all([this.registry.start(), ...[...this.hosts, this.localHost].map((host) => host.reset())]);
  }

  /**
   * Path of the tofu program, which is then also on the operators' PATH. The first call ever builds it, which takes
   * minutes.
   */
  async opentofu(): Promise<string> {
    const program = await withLock(() => ensureOpenTofu(this.progress));
    for (const operator of [this.operator, this.local]) operator.offer("tofu", program);
    return program;
  }

  /** A program of the current Prometheus or Alertmanager. The first call ever builds it, which takes minutes. */
  currentMonitoring(name: MonitoringProgram): Promise<string> {
    return withLock(() => ensureMonitoring(name, this.progress));
  }

  /** The status of every machine. */
  async status(): Promise<MachineStatus[]> {
    const daemons = [...this.hosts, this.localHost].map(async (host) => {
      const engine = await host.runningEngine();
      return statusOf(host, engine !== undefined, engine);
    });
    return [
      statusOf(this.operator.machine, undefined),
      statusOf(this.registry.machine, this.registry.isUp),
      ...(await Promise.all(daemons)),
    ];
  }

  /** Removes the whole test bed. */
  down(): Promise<void> {
    return TestBed.down(this.progress);
  }

  private async ensureUp(binaries: Binaries): Promise<void> {
    fs.mkdirSync(RUN_FOLDER, { recursive: true, mode: 0o755 });
    await Promise.all([ensureLan(), ensureAuthority(), ensureSshKeys()]);
    writeSshClientConfig(this.hosts);
    weighContainers();
    await Promise.all([
      this.operator.prepare(binaries, true),
      this.local.prepare(binaries, false),
      this.operator.machine.powerOn(),
      this.registry.ensureUp(binaries, this.progress),
      this.localHost.ensureUp(),
      ...this.hosts.map((host) => host.ensureUp()),
    ]);
  }
}

function statusOf(machine: TestBedMachine, serving: boolean | undefined, engine?: string): MachineStatus {
  return { name: machine.name, address: machine.address, on: machine.isOn, serving, engine };
}

/** The hosts that an earlier `up` or `addHost` created and recorded in their folders. */
function standingHosts(): Machine[] {
  if (!fs.existsSync(MACHINES_FOLDER)) return [];
  return fs
    .readdirSync(MACHINES_FOLDER)
    .map((name) => path.join(MACHINES_FOLDER, name, "machine.json"))
    .filter((file) => fs.existsSync(file))
    .map((file) => JSON.parse(fs.readFileSync(file, "utf8")) as Machine)
    .filter((machine) => !SPECIAL_MACHINES.some((special) => special.name === machine.name));
}

/** Merges both lists; a host in both must be the same, and no two machines may share a name or an address. */
function joinHosts(standing: readonly Machine[], wanted: readonly Machine[]): Machine[] {
  const joined: Machine[] = [...standing];
  for (const host of wanted) {
    const rival = [...SPECIAL_MACHINES, ...joined].find(
      (other) => other.name === host.name || other.address === host.address,
    );
    if (rival && (rival.name !== host.name || rival.address !== host.address)) {
      throw new Error(
        `host ${host.name} (${host.address}) clashes with ${rival.name} (${rival.address}), which the test bed has already`,
      );
    }
    if (!rival) joined.push(host);
  }
  return joined;
}
