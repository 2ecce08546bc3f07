import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { ClusterFile } from "../cluster/file/schema";
import { replaceFile } from "../ops/files";
import { ConsulHttp, eventually } from "./consul";
import type { Credentials } from "./credentials";
import { Load, type LoadReport, missingKeys } from "./load";
import { type Observation, Observer } from "./observer";
import { pause } from "./pause";
import { Project } from "./project";
import { typeAtTerminal } from "./terminal";
import type { CommandOptions, CommandResult, RunningCommand } from "./test-bed/command";
import type { TestBed } from "./test-bed/test-bed";

/** What users and an observer saw during a change or a fault. */
export interface Seen {
  readonly users: LoadReport;
  readonly servers: Observation;
  /** What the servers logged of elections during the longest gap; empty if it is short. */
  readonly elections: string;
}

/** Security with a token for the cluster's users. */
export const SECURED: ClusterFile["security"] = {
  policies: {
    load: [
      'key_prefix "load/" { policy = "write" }',
      'key_prefix "held/" { policy = "write" }',
      'session_prefix "" { policy = "write" }',
      'service "shop" { policy = "write" }',
      'node_prefix "" { policy = "read" }',
    ].join("\n"),
  },
  tokens: { load: {} },
};

const SEED = join(__dirname, "../clusters/seed.yaml");
/** The last octet of the first server's and the first client agent's address; the others count up from it. */
const FIRST = { server: 120, client: 110 } as const;

export interface LiveClusterOptions {
  /**
   * Numbers of agents, each on its own host. Default the article's three servers, and two client agents, so that users
   * have another one to turn to.
   */
  readonly servers?: number;
  readonly clients?: number;
  /** Other keys of the cluster file. */
  readonly settings?: Partial<ClusterFile>;
  /** Whether it has TLS, gossip encryption and ACLs. Default on, unless the environment has SECURITY=off. */
  readonly security?: "on" | "off";
  /** How it is deployed at first. Default by this version, from its file. */
  readonly firstDeploy?: (project: Project, cluster: LiveCluster) => Promise<unknown>;
  /** Variables of the operator's environment besides CLUSTER. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Seconds between two writes from which on it is of interest what the servers did. */
const LONG_GAP = 1;

/** A cluster on the test bed's hosts; users work with it while a test edits its file, deploys, and injects faults. */
export class LiveCluster {
  /** The cluster file: edit it, then `deploy`. */
  file: ClusterFile;
  private changes = 0;
  private readonly started: RunningCommand[] = [];

  private constructor(
    readonly testBed: TestBed,
    readonly project: Project,
    private readonly options: LiveClusterOptions,
  ) {
    this.file = this.described();
  }

  private described(): ClusterFile {
    const { security = process.env.SECURITY === "off" ? "off" : "on", settings } = this.options;
    return { ...article(), ...agentsOf(this.options), ...(security === "on" && { security: SECURED }), ...settings };
  }

  /**
   * Runs a fault; if its test fails, the cluster is recreated, so that the next fault does not start with a broken
   * one.
   */
  async bear(fault: () => Promise<void>): Promise<void> {
    try {
      await fault();
    } catch (failure) {
      for (const deploy of this.started) deploy.killAll();
      await this.renew();
      throw failure;
    }
  }

  /** Deploys the cluster as it was described, from nothing. */
  private async renew(): Promise<void> {
    this.file = this.described();
    for (const host of Object.keys(this.file.hosts)) await this.testBed.addHost(host, this.addressOf(host));
    await this.testBed.reset();
    rmSync(join(this.project.folder, this.stateFile), { force: true });
    await (this.options.firstDeploy?.(this.project, this) ?? this.deploy());
  }

  /** Adds the hosts that the test bed does not have, and deploys the article's cluster of that size on them. */
  static async up(testBed: TestBed, name: string, options: LiveClusterOptions = {}): Promise<LiveCluster> {
    const cluster = new LiveCluster(testBed, new Project(testBed.operator, `clusters/${name}.yaml`), options);
    await cluster.renew();
    return cluster;
  }

  /** Removes the cluster, and the hosts that the test bed does not have by default. */
  async down(): Promise<void> {
    await this.testBed.reset();
    for (const host of [...this.testBed.hosts].filter(({ name }) => !(name in article().hosts)))
      await this.testBed.removeHost(host.name);
    this.project.remove();
  }

  /** Writes the cluster file as it is now. */
  write(): void {
    writeFileSync(join(this.project.folder, this.project.clusterFile), JSON.stringify(this.file, undefined, 2));
  }

  /** Another operator's checkout, with the cluster file and the secrets, but without the Terraform state. */
  colleague(): Project {
    const { clusterFile, folder } = this.project;
    const other = new Project(this.testBed.operator, clusterFile);
    const secrets = join(this.file.private_folder ?? "", "secrets");
    for (const path of [clusterFile, ...(this.secured ? [secrets] : [])])
      cpSync(join(folder, path), join(other.folder, path), { recursive: true });
    return other;
  }

  /** Gives every agent another configuration, so that the next deploy replaces them all. */
  changeAll(): void {
    this.file.config = { ...this.file.config, node_meta: { change: String(++this.changes) } };
  }

  /** Gives one agent settings in the file, besides those that it has. */
  set(agent: string, settings: object): void {
    const edited = (agents: ClusterFile["servers"]) =>
      agents.map((each) => {
        if (nameOf(each) !== agent) return each;
        return { ...(typeof each === "string" ? { name: each } : each), ...settings };
      });
    this.file.servers = edited(this.file.servers);
    this.file.clients = edited(this.file.clients ?? []);
  }

  /** Does what an operator does after editing the file, with the CDKTF CLI. */
  deploy(options: CommandOptions = {}): Promise<CommandResult> {
    return this.deployWith((given) => this.project.deploy(given), options);
  }

  /** The same, with `npm run deploy`. */
  npmDeploy(options: CommandOptions = {}): Promise<CommandResult> {
    return this.deployWith((given) => this.project.npmDeploy(given), options);
  }

  private async deployWith(
    deploy: (options: CommandOptions) => Promise<CommandResult>,
    options: CommandOptions,
  ): Promise<CommandResult> {
    this.write();
    if (this.secured) await this.secrets("init");
    const result = await deploy({ ...options, env: { ...this.env, ...options.env } });
    if (result.exitCode === 0 && this.secured) await this.trust();
    return result;
  }

  /** The operator's environment, for commands that are run in the project directly. */
  get env(): NodeJS.ProcessEnv {
    return this.options.env ?? {};
  }

  /** `npm run secrets`. */
  secrets(...args: string[]): Promise<CommandResult> {
    return this.project.run("npm", ["run", "-s", "secrets", "--", ...args], { env: this.env });
  }

  /** Types commands of the documentation at a terminal, one a line, and approves deploys. @returns all that they print */
  async type(commands: string, options: CommandOptions = {}): Promise<string> {
    const printed: string[] = [];
    for (const command of commands.trim().split("\n")) {
      const { stdout } = await typeAtTerminal(this.project, command, { env: this.env, ...options });
      printed.push(stdout.replaceAll("\r", ""));
    }
    // The cluster may have had no leader before.
    if (this.secured && commands.includes("npm run deploy")) await eventually(() => this.trust(), 60);
    return printed.join("");
  }

  private get secured(): boolean {
    return this.file.security !== "off";
  }

  /** Whether plain HTTP is open on the agents' own hosts only. */
  private get httpsOnly(): boolean {
    const { security } = this.file;
    return security !== "off" && (typeof security !== "object" || (security.stage ?? "strict") === "strict");
  }

  /** A client certificate with a token. @param token its name */
  private credentials(token: "management" | "load"): Credentials | undefined {
    if (!this.httpsOnly) return undefined;
    const folder = this.project.secretsFolder(this.file);
    const header = join(folder, `${token}.header`);
    const { current } = JSON.parse(readFileSync(join(folder, "tokens.json"), "utf8"));
    // As a whole: curl sends a request without a token, and gets an empty list, if it reads a file that is being written.
    replaceFile(header, `X-Consul-Token: ${current[token]}\n`, 0o600);
    return {
      ca: join(folder, "connect.pem"),
      cert: join(folder, "operator/cert.pem"),
      key: join(folder, "operator/key.pem"),
      header,
    };
  }

  /** Copies that users have of their own, as they do: a change of the secrets folder does not change them. */
  private usersCredentials(): Credentials | undefined {
    const credentials = this.credentials("load");
    if (!credentials) return undefined;
    const folder = mkdtempSync(join(this.project.folder, "users-"));
    const copied = Object.entries(credentials).map(([name, file]) => {
      cpSync(file, join(folder, name));
      return [name, join(folder, name)];
    });
    return Object.fromEntries(copied);
  }

  /**
   * Writes the CAs that users of the HTTPS API trust: the servers' CA, and the CA of the certificates that servers
   * issue to client agents.
   */
  private async trust(): Promise<void> {
    const folder = this.project.secretsFolder(this.file);
    const request = "curl -fsS http://127.0.0.1:8500/v1/connect/ca/roots?pem=true";
    const [first] = this.file.servers.filter(stays) as [ClusterFile["servers"][number]];
    const container = (typeof first === "object" ? first.container : undefined) ?? nameOf(first);
    const roots = await this.docker(nameOf(first), "exec", container, "sh", "-c", request);
    writeFileSync(join(folder, "connect.pem"), readFileSync(join(folder, "ca.pem"), "utf8") + roots.stdout, {
      mode: 0o600,
    });
  }

  diff(): Promise<CommandResult> {
    return this.project.cdktf(["diff"], { env: this.env });
  }

  /** Starts a deploy by the CDKTF CLI in the background, for a test that interrupts it. */
  startDeploy(project = this.project): RunningCommand {
    return this.watched(project.startDeploy());
  }

  /** Starts `npm run deploy` in the background, for a test that interrupts it. */
  startNpmDeploy(): RunningCommand {
    return this.watched(this.project.startNpmDeploy(this.env));
  }

  private watched(deploy: RunningCommand): RunningCommand {
    this.started.push(deploy);
    return deploy;
  }

  /** The process ids of `terraform apply` on the operator's machine. */
  applying(): number[] {
    return this.testBed.operator.machine.processes(/^\S*(terraform|tofu) apply/);
  }

  /** Waits until a deploy in the background has started Terraform's apply. */
  async untilApplying(deploy: RunningCommand): Promise<void> {
    for (let tenths = 0; tenths < 600 && this.applying().length === 0; tenths++)
      await Promise.race([pause(0.1), deploy.finished]);
    if (this.applying().length === 0) throw new Error(`nothing is being applied: ${deploy.stdout.slice(-2000)}`);
  }

  /**
   * Recovers from an interrupted deploy as docs/interrupted-deploy.md has it: doctor fixes, and a deploy completes, until
   * nothing is wrong.
   */
  async recover(): Promise<void> {
    this.write();
    for (let round = 0; round <= this.agentNames.length; round++) {
      const { exitCode, stdout } = await this.project.run("npm", ["run", "-s", "doctor", "--", "--fix"], {
        check: false,
        env: this.env,
      });
      process.stderr.write(`    ${stdout.trim().replaceAll("\n", "\n    ")}\n`);
      if (exitCode === 0) break;
      // If another container is missing in the Terraform state, this fails on the container's name.
      await this.deploy({ check: false });
    }
    await this.deploy();
  }

  /** The Terraform state's file, relative to the project's folder. */
  get stateFile(): string {
    return join(this.file.private_folder ?? "", `terraform.${this.file.name}.tfstate`);
  }

  get serverNames(): string[] {
    return this.file.servers.filter(stays).map(nameOf);
  }

  get agentNames(): string[] {
    return [...this.file.servers, ...(this.file.clients ?? [])].filter(stays).map(nameOf);
  }

  /** An agent's HTTP API, requested from the operator's machine. */
  api(agent: string): ConsulHttp {
    return new ConsulHttp(this.testBed.operator.machine, this.url(agent), this.credentials("management"));
  }

  /** Runs the docker CLI against an agent's host. */
  docker(agent: string, ...args: string[]): Promise<CommandResult> {
    return this.testBed.host(agent).docker(...args);
  }

  /** The first line that an agent's `consul version` prints: `Consul v1.22.7`. */
  async consulVersion(agent: string): Promise<string | undefined> {
    const { stdout } = await this.docker(agent, "exec", agent, "consul", "version");
    return stdout.split("\n")[0];
  }

  /** The formatted output of docker inspect for an agent's container; undefined if there is none. */
  private async inspect(agent: string, format: string): Promise<string | undefined> {
    const { exitCode, stdout, stderr } = await this.testBed
      .host(agent)
      .dockerWith({ check: false }, "container", "inspect", "-f", format, agent);
    if (exitCode === 0) return stdout.trim();
    // If the daemon is unreachable, it is unknown whether there is a container.
    if (!/no such container/i.test(stderr))
      throw new Error(`${agent}: its container cannot be inspected: ${stderr.trim()}`);
    return undefined;
  }

  /** Each agent's container, and when it was started: if this differs after a change, the agent was touched. */
  async incarnations(): Promise<Record<string, string>> {
    const seen = this.agentNames.map(async (name) => [
      name,
      (await this.inspect(name, "{{.Id}} {{.State.StartedAt}}")) ?? "",
    ]);
    return Object.fromEntries(await Promise.all(seen));
  }

  /** The agents that a change touched: their containers are others, have been restarted, or are new. */
  async touchedBy(change: () => Promise<unknown>): Promise<string[]> {
    const before = await this.incarnations();
    await change();
    const after = await this.incarnations();
    return Object.keys(after).filter((name) => before[name] !== after[name]);
  }

  /** Expects that a deploy fails, and touches no container. @returns its output, the lines joined */
  async expectRejected(deploy: "deploy" | "npmDeploy" = "deploy"): Promise<string> {
    let result: CommandResult | undefined;
    const touched = await this.touchedBy(async () => {
      result = await this[deploy]({ check: false });
    });
    expect(touched).toEqual([]);
    expect(result?.exitCode).not.toBe(0);
    // Terraform draws a frame around what failed.
    return `${result?.stdout}${result?.stderr}`.replace(/[^\S ]*\n[^\w]*/g, " ");
  }

  /** Adds another agent to the cluster file, on its own host, which is added to the test bed if it is missing. */
  async add(role: "server" | "client", number: number): Promise<string> {
    const [name, address] = place(role, number);
    await this.testBed.addHost(name, address);
    this.file.hosts = { ...this.file.hosts, [name]: address };
    if (role === "server") this.file.servers = [...this.file.servers, name];
    else this.file.clients = [...(this.file.clients ?? []), name];
    return name;
  }

  /**
   * Runs something while users work through the first two client agents, and returns what they and an observer of the
   * servers saw.
   * @param declared whether the file declares the service `shop`, which users look up, on the first client agent; else
   * they register it
   */
  async during(work: () => Promise<unknown>, { declared = false } = {}): Promise<Seen> {
    const there = await this.incarnations();
    const clients = (this.file.clients ?? []).map(nameOf).filter((name) => there[name]);
    // The test's last step may have stopped the leader, or the server that a client agent was connected to.
    for (const name of clients.slice(0, 2))
      await eventually(() => this.api(name).get("/v1/catalog/nodes?consistent"), 60);
    const [first, second = first] = clients.map((name) => this.url(name));
    if (!first || !second) throw new Error("a cluster without clients has no users");
    const credentials = this.usersCredentials();
    const observer = await Observer.start(
      this.testBed.operator,
      Object.fromEntries(this.serverNames.map((name) => [name, this.url(name)])),
      credentials,
    );
    const logs = Object.fromEntries(this.serverNames.map((name) => [name, this.testBed.host(name).follow(name)]));
    const load = await Load.start(this.testBed.operator, [first, second], credentials, declared);
    const outcome = await Promise.allSettled([work()]);
    const [users, servers] = await Promise.all([load.stop(), observer.stop()]);
    process.stderr.write(
      `    users saw: ${JSON.stringify({ ...users, unacknowledged: undefined })}\n    servers: ${JSON.stringify(servers)}\n`,
    );
    for (const log of Object.values(logs)) log.killAll();
    const elections = users.longestGap > LONG_GAP ? electionsIn(logs, users) : "";
    process.stderr.write(elections);
    for (const { reason } of outcome.filter((each) => each.status === "rejected")) throw reason;
    return { users, servers, elections };
  }

  /**
   * Expects, after a change or a fault, that all servers are voters, that each has every acknowledged write, that
   * nobody holds the lock, and that the plan is empty.
   */
  async expectSound({ users }: Pick<Seen, "users">): Promise<void> {
    await this.expectWhole();
    for (const name of this.serverNames)
      await eventually(async () =>
        expect({ name, missing: await missingKeys(this.api(name), users) }).toEqual({ name, missing: [] }),
      );
    expect((await this.diff()).stdout).toContain("No changes.");
  }

  /** Expects that all servers are healthy voters of one configuration, and that nobody holds the lock. */
  async expectWhole(seconds = 60): Promise<void> {
    await this.expectVoters(seconds);
    // Beside the users' keys there may be the key that records the file's definitions, but no lock and no rollout slot.
    const server = this.api(this.serverNames[0] as string);
    const there: string[] = await server.json("/v1/kv/?keys&separator=/");
    const own: string[] = there.includes("consul-cdktf/") ? await server.json("/v1/kv/consul-cdktf/?keys") : [];
    expect(own.filter((key) => key !== "consul-cdktf/definitions")).toEqual([]);
  }

  private async expectVoters(seconds: number): Promise<void> {
    for (const name of this.serverNames) {
      await eventually(async () => {
        const { Servers } = await this.api(name).json("/v1/operator/raft/configuration");
        const voters = Servers.filter(({ Voter }: { Voter: boolean }) => Voter).map(
          ({ Node }: { Node: string }) => Node,
        );
        expect(voters.sort()).toEqual([...this.serverNames].sort());
        expect(await this.api(name).json("/v1/operator/autopilot/health")).toMatchObject({ Healthy: true });
      }, seconds);
    }
  }

  /** The leader's name. */
  async leader(): Promise<string> {
    const { Servers } = await this.api(this.serverNames[0] as string).json("/v1/operator/raft/configuration");
    return Servers.find(({ Leader }: { Leader: boolean }) => Leader).Node;
  }

  /** Has a server hand its leadership to another one. */
  async transferLeadership(from: string, to: string): Promise<void> {
    const { Servers } = await this.api(from).json("/v1/operator/raft/configuration");
    const { ID } = Servers.find(({ Node }: { Node: string }) => Node === to);
    await this.api(from).post(`/v1/operator/raft/transfer-leader?id=${ID}`);
  }

  private addressOf(host: string): string {
    const described = this.file.hosts[host];
    return typeof described === "object" ? String(described.address) : String(described);
  }

  private url(agent: string): string {
    if (this.httpsOnly) return `https://${this.addressOf(agent)}:8501`;
    const described = [...this.file.servers, ...(this.file.clients ?? [])].find((each) => nameOf(each) === agent);
    const port = typeof described === "object" ? described.ports?.http : undefined;
    return `http://${this.addressOf(agent)}:${port ?? 8500}`;
  }
}

/** What servers logged of elections during the longest gap and the two seconds around it, in the order of time. */
function electionsIn(
  logs: Readonly<Record<string, RunningCommand>>,
  { longestGap, gapEnded }: Pick<LoadReport, "longestGap" | "gapEnded">,
): string {
  const since = Date.parse(gapEnded) - (longestGap + 2) * 1000;
  const until = Date.parse(gapEnded) + 2000;
  const lines = Object.entries(logs).flatMap(([name, { stdout }]) => {
    const logged = stdout.split("\n").filter((line) => {
      const at = Date.parse(line.trim().split(" ", 1)[0] as string);
      return at >= since && at <= until && /agent\.server\S*: .*(elect|leader|vote|contact|term=)/i.test(line);
    });
    return logged.map((line) => line.trim().replace(" ", ` ${name} `).slice(0, 160));
  });
  return lines
    .sort()
    .map((line) => `    ${line}\n`)
    .join("");
}

/**
 * Expects what must hold in every change that succeeds: no user lost anything, and no two servers were down together.
 */
export function expectUndisturbed({ users, servers }: Seen): void {
  expect(users).toMatchObject({ lost: 0, sessionLosses: 0, unresolved: 0 });
  expect(servers.mostDown).toBeLessThan(2);
}

/** Expects that no write waited for an election, as none has to when a leader transfers its leadership. */
export function expectNoElection({ users, elections }: Seen): void {
  // Measured: 0.5 to 0.8 s, also on a machine that is busy all the time.
  if (users.longestGap < 2) return;
  throw new Error(
    `a user's writes waited ${users.longestGap} s until ${users.gapEnded}, while this machine was up to ` +
      `${users.longestStall} s late to run it; the servers logged:\n${elections}`,
  );
}

/**
 * Expects what must hold when the leader is lost. It could not transfer its leadership, so a write and its retry may
 * both fail during one election, which takes 1 to 3 s with raft_multiplier 1. No acknowledged write is lost: see
 * expectSound.
 * @param elections how many there may be, one after the other. @default 1
 */
export function expectElection({ users, servers }: Seen, elections = 1): void {
  expect(users.sessionLosses).toBe(0);
  expect(users.longestGap).toBeLessThan(6 * elections);
  expect(servers.mostDown).toBeLessThan(2);
}

export const nameOf = (agent: ClusterFile["servers"][number]): string =>
  typeof agent === "string" ? agent : agent.name;

const stays = (agent: ClusterFile["servers"][number]): boolean => typeof agent === "string" || !agent.decommission;

function article(): ClusterFile {
  const { images: _images, ...file } = parse(readFileSync(SEED, "utf8")) as ClusterFile;
  return { ...file, ready_timeout: 60 };
}

/** An agent's name, which is its host's too, and its address. */
const place = (role: keyof typeof FIRST, number: number): [name: string, address: string] => [
  `consul-${role}${number}`,
  `172.16.8.${FIRST[role] + number - 1}`,
];

function agentsOf({
  servers = 3,
  clients = 2,
}: LiveClusterOptions): Partial<ClusterFile> & Pick<ClusterFile, "hosts" | "servers"> {
  const places = (role: keyof typeof FIRST, count: number) =>
    Array.from({ length: count }, (_, index) => place(role, index + 1));
  const names = (role: keyof typeof FIRST, count: number) => places(role, count).map(([name]) => name);
  return {
    hosts: Object.fromEntries([...places("server", servers), ...places("client", clients)]),
    servers: names("server", servers),
    clients: names("client", clients),
    bootstrap_expect: undefined,
    join: servers > 3 ? names("server", 3) : undefined,
  };
}
