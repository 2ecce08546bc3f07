import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parse, stringify } from "yaml";
import type { ClusterFile } from "../../cluster/file/schema";
import { FILES } from "../../ops/metrics/scrape-config";
import { eventually } from "../consul";
import { Project } from "../project";
import type { CommandResult } from "../test-bed/command";
import type { Operator } from "../test-bed/operator";
import type { TestBed } from "../test-bed/test-bed";
import { DEBIANS, Monitoring, type MonitoringPrograms } from "./monitoring";

/** Where a shell in a server's container finds the token of a deploy's steps. A file that is named would win. */
const TOKEN = `unset CONSUL_HTTP_TOKEN_FILE; export CONSUL_HTTP_TOKEN=$(cut -d " " -f 2 /consul/secrets/rollout.header)`;

export interface MonitorOptions {
  /** Whether both Prometheus scrape what `status --prometheus` writes, too. @default false */
  readonly status?: boolean;
  /** How the current one finds the agents. @default by files */
  readonly current?: string;
}

/**
 * A cluster on the test bed's hosts, which Debian's Prometheus and the current one scrape at the same time by the files
 * of `npm run metrics`.
 */
export class MonitoredCluster {
  readonly project: Project;
  private inspecting = false;
  private inspected: Promise<void> = Promise.resolve();
  /** The scrape configurations to which what `status --prometheus` writes is added. */
  private scrapesOfStatus: readonly string[] = [];
  /** Debian's Prometheus and Alertmanager, and the current ones. */
  monitoring: readonly Monitoring[] = [];
  /** Where the files of `npm run metrics` are. */
  readonly folder: string;
  /** The scraper's secrets. */
  readonly secrets: string;

  /**
   * @param file the cluster file: edit it, then `deploy`
   * @param operator who deploys
   */
  constructor(
    private readonly testBed: TestBed,
    readonly file: ClusterFile,
    operator: Operator = testBed.operator,
  ) {
    this.project = new Project(operator, `clusters/${file.name}.yaml`);
    this.folder = join(this.project.folder, "monitoring");
    this.secrets = join(this.project.folder, `secrets/${file.name}/metrics`);
  }

  get agentNames(): string[] {
    const { servers, clients = [] } = this.file;
    return [...servers, ...clients].map((agent) => (typeof agent === "string" ? agent : agent.name));
  }

  write(): void {
    writeFileSync(join(this.project.folder, this.project.clusterFile), JSON.stringify(this.file));
  }

  private get secured(): boolean {
    return this.file.security !== "off";
  }

  npm(...words: string[]): Promise<CommandResult> {
    return this.project.run("npm", ["run", "-s", ...words]);
  }

  /** Does what an operator does after editing the file. */
  async deploy(): Promise<void> {
    this.write();
    if (this.secured) await this.npm("secrets", "--", "init");
    await this.project.deploy();
  }

  /** Writes the files of `npm run metrics`, and adds what its guide says about `status --prometheus`. */
  async writeFiles(): Promise<void> {
    const ca = this.secured ? ["--clients-ca"] : [];
    await this.npm("metrics", "--", "--out", this.folder, "--secrets", this.secrets, ...ca);
    for (const file of this.scrapesOfStatus) this.scrapeTextfiles(file);
  }

  /** Writes the files anew, after the cluster file was edited, and lets both Prometheus read them. */
  async rewriteFiles(): Promise<void> {
    this.write();
    await this.writeFiles();
    await this.withEach((monitoring) => monitoring.reload());
  }

  /**
   * Writes the files, and starts Prometheus and Alertmanager with them: Debian's with a static configuration, and the
   * current ones with files of targets, or another way to find them.
   */
  async monitor({ status = false, current: discovery = FILES.fileScrape }: MonitorOptions = {}): Promise<void> {
    if (status) this.scrapesOfStatus = [FILES.scrape, discovery];
    await this.writeFiles();
    const debians = new Monitoring(DEBIANS, this.testBed.operator, this.folder);
    const current = new Monitoring(await this.current(), this.testBed.local, this.folder);
    this.monitoring = [debians, current];
    debians.start(FILES.scrape);
    current.start(discovery);
  }

  private async current(): Promise<MonitoringPrograms> {
    return {
      prometheus: await this.testBed.currentMonitoring("prometheus"),
      promtool: await this.testBed.currentMonitoring("promtool"),
      alertmanager: await this.testBed.currentMonitoring("alertmanager"),
      amtool: await this.testBed.currentMonitoring("amtool"),
    };
  }

  /** Adds node_exporter, which exports what `status --prometheus` writes, as the guide says. */
  private scrapeTextfiles(configuration: string): void {
    const file = join(this.folder, configuration);
    const scraping = parse(readFileSync(file, "utf8"));
    scraping.scrape_configs.push({ job_name: "node", static_configs: [{ targets: ["127.0.0.1:9100"] }] });
    writeFileSync(file, stringify(scraping));
  }

  /** Runs a check with Debian's Prometheus and with the current one. */
  async withEach(check: (monitoring: Monitoring) => void | Promise<void>): Promise<void> {
    for (const monitoring of this.monitoring) {
      try {
        await check(monitoring);
      } catch (error) {
        throw new Error(`with ${monitoring.programs.prometheus}: ${(error as Error).message}`, { cause: error });
      }
    }
  }

  /** Where `status --prometheus` writes for node_exporter. */
  get exported(): string {
    return join(this.folder, "consul.prom");
  }

  /** Starts the timer that writes what `status` finds. */
  inspect(): void {
    this.inspecting = true;
    const timer = async () => {
      while (this.inspecting) {
        // Its exit code is 1 while the cluster is unhealthy.
        await this.project.run("npm", ["run", "-s", "status", "--", "--prometheus", this.exported], { check: false });
        await pause(30_000);
      }
    };
    this.inspected = timer();
  }

  /** Stops the timer, and waits for its last run. */
  async endInspection(): Promise<void> {
    this.inspecting = false;
    await this.inspected;
  }

  /** Removes the cluster. */
  async down(): Promise<void> {
    await this.endInspection();
    for (const monitoring of this.monitoring) monitoring.stop();
    await this.testBed.reset();
    this.project.remove();
  }

  /** Runs a command in a server's container, with the token of a deploy's steps. */
  manage(server: string, command: string): Promise<CommandResult> {
    const script = `${TOKEN}; ${command}`;
    return this.testBed.host(server).docker("exec", server, "sh", "-c", script);
  }

  /** Runs a check with each until it passes, within some seconds for all. */
  eventuallyWithEach(check: (monitoring: Monitoring) => void | Promise<void>, seconds: number): Promise<void> {
    return eventually(() => this.withEach(check), seconds);
  }

  /** Both scrape all agents. */
  expectAllUp(): Promise<void> {
    return this.withEach(async (monitoring) => {
      const up = await monitoring.query(`up{cluster="${this.file.name}"} == 1`);
      expect(up.map(({ metric }) => metric.agent).sort()).toEqual([...this.agentNames].sort());
    });
  }
}
