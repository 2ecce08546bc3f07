import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { ClusterFile } from "../cluster/schema";
import { ConsulHttp, eventually } from "./consul";
import { Load, type LoadReport, missingKeys } from "./load";
import { type Observation, Observer } from "./observer";
import { Project } from "./project";
import type { CommandOptions, CommandResult } from "./rig/command";
import type { Rig } from "./rig/rig";

/** What was seen while something happened to a cluster. */
export interface Seen {
  readonly users: LoadReport;
  readonly servers: Observation;
}

const SEED = join(__dirname, "../clusters/seed.yaml");
/** The rig's first server's and first client's address; the next ones follow. */
const FIRST = { server: 120, client: 110 } as const;

/** How many agents, hence hosts. */
export interface Size {
  readonly servers: number;
  readonly clients: number;
}

/** A cluster on the rig's hosts that users work with while a test edits its file, deploys, and breaks things. */
export class LiveCluster {
  /** The cluster file: edit it, then `deploy`. */
  file: ClusterFile;

  private constructor(
    readonly rig: Rig,
    readonly project: Project,
    size: Size,
  ) {
    this.file = { ...article(), ...agentsOf(size) };
  }

  /** Makes the hosts that the rig has not, and deploys the article's cluster in that size on them. */
  static async up(rig: Rig, name: string, size: Size = { servers: 3, clients: 2 }): Promise<LiveCluster> {
    const cluster = new LiveCluster(rig, new Project(rig.operator, `clusters/${name}.yaml`), size);
    for (const [host, address] of Object.entries(cluster.file.hosts)) await rig.addHost(host, String(address));
    await rig.reset();
    await cluster.deploy();
    return cluster;
  }

  /** Leaves the rig with the hosts that it has by default. */
  async down(): Promise<void> {
    await this.rig.reset();
    for (const host of [...this.rig.hosts].filter(({ name }) => !(name in article().hosts))) await this.rig.removeHost(host.name);
    this.project.remove();
  }

  /** Writes the cluster file as it is now. */
  write(): void {
    writeFileSync(join(this.project.folder, this.project.clusterFile), JSON.stringify(this.file, undefined, 2));
  }

  /** What an operator does after editing the file. */
  deploy(options: CommandOptions = {}): Promise<CommandResult> {
    this.write();
    return this.project.deploy(options);
  }

  get serverNames(): string[] {
    return this.file.servers.map(nameOf);
  }

  get agentNames(): string[] {
    return [...this.file.servers, ...(this.file.clients ?? [])].map(nameOf);
  }

  /** An agent's HTTP API, asked from the operator's machine. */
  api(agent: string): ConsulHttp {
    return new ConsulHttp(this.rig.operator.machine, this.url(agent));
  }

  /** The docker CLI at an agent's host. */
  docker(agent: string, ...args: string[]): Promise<CommandResult> {
    return this.rig.host(agent).docker(...args);
  }

  /** Which container runs an agent, and since when: another value after a change means that the agent was touched. */
  async incarnations(): Promise<Record<string, string>> {
    const seen = this.agentNames.map(async (name) => [name, (await this.docker(name, "inspect", "-f", "{{.Id}} {{.State.StartedAt}}", name)).stdout]);
    return Object.fromEntries(await Promise.all(seen));
  }

  /** Runs something while users work through the first two clients, and says what they and an observer of the servers saw. */
  async during(work: () => Promise<unknown>): Promise<Seen> {
    const [first, second = first] = (this.file.clients ?? []).map((client) => this.url(nameOf(client)));
    if (!first || !second) throw new Error("a cluster without clients has no users");
    const observer = await Observer.start(this.rig.operator, Object.fromEntries(this.serverNames.map((name) => [name, this.url(name)])));
    const load = await Load.start(this.rig.operator, [first, second]);
    const outcome = await Promise.allSettled([work()]);
    const [users, servers] = await Promise.all([load.stop(), observer.stop()]);
    process.stderr.write(`    users saw: ${JSON.stringify({ ...users, unacknowledged: undefined })}\n    servers: ${JSON.stringify(servers)}\n`);
    for (const { reason } of outcome.filter((one) => one.status === "rejected")) throw reason;
    return { users, servers };
  }

  /** Once a fault is mended: all servers are voters, nothing that was acknowledged is missing from any, nobody holds the lock, the plan is empty. */
  async expectSound({ users }: Pick<Seen, "users">): Promise<void> {
    await this.expectWhole();
    for (const name of this.serverNames)
      await eventually(async () => expect({ name, missing: await missingKeys(this.api(name), users) }).toEqual({ name, missing: [] }));
    expect((await this.project.cdktf(["diff"])).stdout).toContain("No changes.");
  }

  /** All servers are healthy voters of one configuration, and nobody holds the lock. */
  async expectWhole(seconds = 60): Promise<void> {
    for (const name of this.serverNames) {
      await eventually(async () => {
        const { Servers } = await this.api(name).json("/v1/operator/raft/configuration");
        const voters = Servers.filter(({ Voter }: { Voter: boolean }) => Voter).map(({ Node }: { Node: string }) => Node);
        expect(voters.sort()).toEqual([...this.serverNames].sort());
        expect(await this.api(name).json("/v1/operator/autopilot/health")).toMatchObject({ Healthy: true });
      }, seconds);
    }
    expect(
      await this.api(this.serverNames[0] as string)
        .get("/v1/kv/?keys&separator=/consul-cdktf/")
        .catch(() => "[]"),
    ).not.toContain("consul-cdktf/");
  }

  private url(agent: string): string {
    return `http://${this.file.hosts[agent]}:8500`;
  }
}

/** What must hold of every change that goes well: no user lost anything, and no two servers were down together. */
export function expectUndisturbed({ users, servers }: Seen): void {
  expect(users).toMatchObject({ lost: 0, sessionLosses: 0, unresolved: 0 });
  expect(servers.mostDown).toBeLessThan(2);
}

const nameOf = (agent: ClusterFile["servers"][number]): string => (typeof agent === "string" ? agent : agent.name);

function article(): ClusterFile {
  const { images: _images, ...file } = parse(readFileSync(SEED, "utf8")) as ClusterFile;
  return { ...file, wait: 60 };
}

function agentsOf({ servers, clients }: Size): Pick<ClusterFile, "hosts" | "servers" | "clients" | "join" | "bootstrap_expect"> {
  const names = (role: "server" | "client", count: number) => Array.from({ length: count }, (_, index) => `consul-${role}${index + 1}`);
  const addresses = (role: "server" | "client", count: number) => names(role, count).map((name, index) => [name, `172.16.8.${FIRST[role] + index}`]);
  return {
    hosts: Object.fromEntries([...addresses("server", servers), ...addresses("client", clients)]),
    servers: names("server", servers),
    clients: names("client", clients),
    bootstrap_expect: undefined,
    // More than three servers need it, and it stays while they grow and shrink.
    join: names("server", Math.min(servers, 3)),
  };
}
