import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterFile } from "../../cluster/file/schema";
import { Project } from "../project";
import type { CommandResult } from "../test-bed/command";
import type { TestBed } from "../test-bed/test-bed";
import { Monitoring } from "./monitoring";

/** Where a shell in a server's container finds the token of a deploy's steps. A file that is named would win. */
const TOKEN = `unset CONSUL_HTTP_TOKEN_FILE; export CONSUL_HTTP_TOKEN=$(cut -d " " -f 2 /consul/secrets/rollout.header)`;

/** A cluster on the test bed's hosts, with a Prometheus that scrapes it by the files of `npm run metrics`. */
export class MonitoredCluster {
  readonly project: Project;
  readonly monitoring: Monitoring;
  /** Where the files of `npm run metrics` are. */
  readonly folder: string;
  /** The scraper's secrets. */
  readonly secrets: string;

  /** @param file the cluster file: edit it, then `deploy` */
  constructor(
    private readonly testBed: TestBed,
    readonly file: ClusterFile,
  ) {
    this.project = new Project(testBed.operator, `clusters/${file.name}.yaml`);
    this.folder = join(this.project.folder, "monitoring");
    this.secrets = join(this.project.folder, `secrets/${file.name}/metrics`);
    this.monitoring = new Monitoring(testBed.operator, this.folder);
  }

  get agentNames(): string[] {
    return Object.keys(this.file.hosts);
  }

  write(): void {
    writeFileSync(join(this.project.folder, this.project.clusterFile), JSON.stringify(this.file));
  }

  npm(...words: string[]): Promise<CommandResult> {
    return this.project.run("npm", ["run", "-s", ...words]);
  }

  async deploy(): Promise<void> {
    this.write();
    await this.project.deploy();
  }

  /** Writes the files, and starts Prometheus and Alertmanager with them. */
  async monitor(): Promise<void> {
    const ca = this.file.security === "off" ? [] : ["--clients-ca"];
    await this.npm("metrics", "--", "--out", this.folder, "--secrets", this.secrets, ...ca);
    this.monitoring.start();
  }

  async down(): Promise<void> {
    this.monitoring.stop();
    await this.testBed.reset();
    this.project.remove();
  }

  /** Runs a command in a server's container, with the token of a deploy's steps. */
  manage(server: string, command: string): Promise<CommandResult> {
    const script = `${TOKEN}; ${command}`;
    return this.testBed.host(server).docker("exec", server, "sh", "-c", script);
  }

  async expectAllUp(): Promise<void> {
    const up = await this.monitoring.query(`up{cluster="${this.file.name}"} == 1`);
    expect(up.map(({ metric }) => metric.agent).sort()).toEqual([...this.agentNames].sort());
  }

  /** Names of the alerts that fired at some time since a moment. */
  async firedSince(begun: number, labels = ""): Promise<string[]> {
    const seconds = Math.ceil((Date.now() - begun) / 1000);
    const fired = await this.monitoring.query(
      `count by (alertname) (count_over_time(ALERTS{alertstate="firing"${labels}}[${seconds}s]))`,
    );
    return fired.map(({ metric }) => metric.alertname ?? "").sort();
  }
}
