import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { FILES } from "../../ops/metrics/scrape-config";
import type { RunningCommand } from "../test-bed/command";
import type { Operator } from "../test-bed/operator";

/** A time series of an answer, with its last value. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

/** A time series of an answer, with its values. */
export interface Range {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [time: number, value: string])[];
}

/** Prometheus, Alertmanager and a receiver of notifications on the operator's machine, by the files as they were written. */
export class Monitoring {
  private readonly running: RunningCommand[] = [];
  private readonly notified: string;

  /** @param folder where the product's files are */
  constructor(
    private readonly operator: Operator,
    private readonly folder: string,
  ) {
    this.notified = join(folder, "notified");
  }

  start(configuration: string = FILES.scrape): void {
    writeFileSync(this.notified, "");
    this.scrapeTextfiles(configuration);
    for (const data of ["prometheus", "alertmanager"]) mkdirSync(join(this.folder, "data", data), { recursive: true });
    const at = (...path: string[]) => join(this.folder, ...path);
    this.spawn("node", "--require", "./typescript.cjs", join(__dirname, "receiver.ts"), "9095", this.notified);
    this.spawn(
      "prometheus",
      `--config.file=${at(configuration)}`,
      `--storage.tsdb.path=${at("data/prometheus")}`,
      "--web.listen-address=127.0.0.1:9090",
    );
    this.spawn(
      "prometheus-alertmanager",
      `--config.file=${at(FILES.alertmanager)}`,
      `--storage.path=${at("data/alertmanager")}`,
      "--web.listen-address=127.0.0.1:9093",
      "--cluster.listen-address=",
    );
  }

  /** Adds node_exporter, which exports what `status --prometheus` writes into the folder, as the guide says. */
  private scrapeTextfiles(configuration: string): void {
    const file = join(this.folder, configuration);
    const scraping = parse(readFileSync(file, "utf8"));
    scraping.scrape_configs.push({ job_name: "node", static_configs: [{ targets: ["127.0.0.1:9100"] }] });
    writeFileSync(file, stringify(scraping));
    this.spawn(
      "prometheus-node-exporter",
      "--collector.disable-defaults",
      "--collector.textfile",
      `--collector.textfile.directory=${this.folder}`,
      "--web.listen-address=127.0.0.1:9100",
    );
  }

  stop(): void {
    for (const program of this.running) program.killAll();
  }

  private spawn(command: string, ...args: string[]): void {
    this.running.push(this.operator.spawn(command, args, { cwd: join(__dirname, "../..") }));
  }

  /** What the receiver was told: `/page firing ConsulNoLeader`. */
  get notifications(): string[] {
    return readFileSync(this.notified, "utf8").trim().split("\n");
  }

  /** Asks Prometheus for values of now. */
  query(promql: string): Promise<readonly Sample[]> {
    return this.ask("query", promql);
  }

  /** Asks Prometheus for values since a time. */
  queryRange(promql: string, since: Date): Promise<readonly Range[]> {
    const times = [`start=${since.toISOString()}`, `end=${new Date().toISOString()}`, "step=15"];
    return this.ask("query_range", promql, times);
  }

  private async ask<Result>(kind: string, promql: string, more: readonly string[] = []): Promise<Result> {
    const parameters = [`query=${promql}`, ...more].flatMap((parameter) => ["--data-urlencode", parameter]);
    const url = `http://127.0.0.1:9090/api/v1/${kind}`;
    const { stdout } = await this.operator.run("curl", ["-sS", "-m", "20", ...parameters, url]);
    const { status, error, data } = JSON.parse(stdout);
    if (status !== "success") throw new Error(`${promql}: ${error}`);
    return data.result;
  }

  /** Names of the alerts that fire now. */
  async firing(): Promise<string[]> {
    const found = await this.query('count by (alertname) (ALERTS{alertstate="firing"})');
    return found.map(({ metric }) => metric.alertname ?? "").sort();
  }
}
