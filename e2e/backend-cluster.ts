import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterFile } from "../cluster/file/schema";
import { Project } from "./project";
import type { CommandResult, RunningCommand } from "./test-bed/command";
import type { TestBed } from "./test-bed/test-bed";

const SERVERS = {
  "consul-server1": "172.16.8.120",
  "consul-server2": "172.16.8.121",
  "consul-server3": "172.16.8.122",
};
const CLIENTS = {
  "consul-client1": { address: "172.16.8.110", group: "edge" },
  "consul-client2": { address: "172.16.8.111", group: "web" },
};
/** All hosts that a cluster may have. */
export const HOSTS = {
  ...SERVERS,
  ...Object.fromEntries(Object.entries(CLIENTS).map(([name, { address }]) => [name, address])),
};
/** The cluster's stacks: the servers', and the first client agent's. */
export const STACKS = ["consul", "consul-edge"] as const;

/** The article's cluster in two stacks, with a backend. */
export class BackendCluster {
  private constructor(
    readonly testBed: TestBed,
    readonly project: Project,
    /** Variables of each command, such as the backend's credentials. */
    readonly env: NodeJS.ProcessEnv,
    private readonly agents: readonly string[],
  ) {}

  static make(testBed: TestBed, env: NodeJS.ProcessEnv = {}): BackendCluster {
    const agents = [...Object.keys(SERVERS), "consul-client1"];
    return new BackendCluster(testBed, new Project(testBed.operator, "clusters/backend.yaml"), env, agents);
  }

  /** The same with a third stack, on a host that is added: both client agents' stacks run beside each other. */
  static async withTwoClients(testBed: TestBed): Promise<BackendCluster> {
    const { address } = CLIENTS["consul-client2"];
    await testBed.addHost("consul-client2", address);
    const agents = [...Object.keys(SERVERS), ...Object.keys(CLIENTS)];
    return new BackendCluster(testBed, new Project(testBed.operator, "clusters/backend.yaml"), {}, agents);
  }

  /** Another operator's checkout, with the cluster file and nothing else. */
  colleague(): BackendCluster {
    const other = BackendCluster.make(this.testBed, this.env);
    cpSync(join(this.project.folder, this.project.clusterFile), join(other.project.folder, this.project.clusterFile));
    return other;
  }

  /** Writes the cluster file. @param round a label of every agent: another one replaces all containers */
  write(backend: ClusterFile["backend"], round = "1"): void {
    const clients = Object.entries(CLIENTS).filter(([name]) => this.agents.includes(name));
    const file: ClusterFile = {
      name: "consul",
      security: "off",
      ignore: ["open-http"],
      client_addr: "0.0.0.0",
      ready_timeout: 60,
      daemon: "ssh://root@{address}",
      hosts: { ...SERVERS, ...Object.fromEntries(clients) },
      servers: Object.keys(SERVERS),
      clients: clients.map(([name]) => name),
      labels: { round },
      backend,
    };
    writeFileSync(join(this.project.folder, this.project.clusterFile), JSON.stringify(file));
  }

  /** Runs a command of the product; a failure is for the test to claim. */
  npm(words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
    return this.project.run("npm", ["run", "-s", ...words], { check: false, env: { ...this.env, ...env } });
  }

  deploy(env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
    return this.npm(["deploy", "--", "--auto-approve"], env);
  }

  /** A deploy in the background, for a test that kills it. */
  startDeploy(): RunningCommand {
    const env = { CLUSTER: this.project.clusterFile, ...this.env };
    const options = { cwd: this.project.folder, env };
    return this.testBed.operator.spawn("npm", ["run", "-s", "deploy", "--", "--auto-approve"], options);
  }

  /** Plain `cdktf deploy`. */
  cdktfDeploy(env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
    const everyStack = ["deploy", "*", "--auto-approve"];
    return this.project.cdktf(everyStack, { check: false, env: { ...this.env, ...env } });
  }

  async expectDeployed(): Promise<void> {
    const { stdout, stderr, exitCode } = await this.deploy();
    expect([exitCode, exitCode === 0 ? "" : `${stdout}\n${stderr}`]).toEqual([0, ""]);
  }

  /** Each agent's container, and since when it runs. */
  containers(): Promise<string[]> {
    return Promise.all(this.agents.map((agent) => this.testBed.host(agent).incarnation(agent)));
  }

  /** Each agent with its container's value of a label. */
  labelled(label: string): Promise<(readonly [agent: string, value: string])[]> {
    return Promise.all(
      this.agents.map(async (agent) => {
        const format = `{{index .Config.Labels "${label}"}}`;
        const { stdout } = await this.testBed.host(agent).dockerWith({ check: false }, "inspect", "-f", format, agent);
        return [agent, stdout.trim()] as const;
      }),
    );
  }

  async expectNothingToDo(): Promise<void> {
    const { stdout, stderr, exitCode } = await this.npm(["diff", "--", "--detailed-exitcode"]);
    expect(`${stdout}${stderr}`).toContain(`nothing to do; containers: ${this.agents.length} unchanged`);
    expect(exitCode).toBe(0);
  }

  /** Every command finds the state. */
  async expectFoundByAll(): Promise<void> {
    await this.expectNothingToDo();
    for (const command of ["status", "doctor"]) {
      const { stdout, stderr, exitCode } = await this.npm([command]);
      expect([command, exitCode, exitCode === 0 ? "" : `${stdout}\n${stderr}`]).toEqual([command, 0, ""]);
    }
  }

  async destroy(): Promise<void> {
    const { stdout, stderr, exitCode } = await this.npm(["destroy", "--", "--auto-approve"]);
    expect([exitCode, exitCode === 0 ? "" : `${stdout}\n${stderr}`]).toEqual([0, ""]);
  }
}
