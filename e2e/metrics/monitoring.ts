import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FILES } from "../../ops/metrics/scrape-config";
import type { MonitoringProgram } from "../test-bed/binaries";
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

/** Names or paths of the programs that monitor a cluster. */
export type MonitoringPrograms = Readonly<Record<MonitoringProgram, string>>;

/** Debian's programs, which are on the PATH. */
export const DEBIANS: MonitoringPrograms = {
  prometheus: "prometheus",
  promtool: "promtool",
  alertmanager: "prometheus-alertmanager",
  amtool: "amtool",
};

/** The alerts that page somebody, for `firedSince`. */
export const PAGING = ',severity="page"';

/** Prometheus, Alertmanager and a receiver of notifications on one machine, by the files as they were written. */
export class Monitoring {
  private readonly running: RunningCommand[] = [];
  private readonly data: string;
  private readonly notified: string;

  /**
   * @param operator on whose machine the programs run; each Monitoring needs a machine of its own, because the files
   * name the ports
   * @param folder where the product's files are
   */
  constructor(
    readonly programs: MonitoringPrograms,
    private readonly operator: Operator,
    private readonly folder: string,
  ) {
    this.data = join(folder, "data", operator.machine.name);
    this.notified = join(this.data, "notified");
  }

  /** @param configuration which of the scrape configurations Prometheus reads */
  start(configuration: string): void {
    const prometheus = join(this.data, "prometheus");
    const alertmanager = join(this.data, "alertmanager");
    for (const data of [prometheus, alertmanager]) mkdirSync(data, { recursive: true });
    writeFileSync(this.notified, "");
    this.spawnScript("receiver.ts", "9095", this.notified);
    this.spawnScript("web-server.ts", "8080", this.folder);
    // Exports what `status --prometheus` writes into the folder.
    this.spawn(
      "prometheus-node-exporter",
      "--collector.disable-defaults",
      "--collector.textfile",
      `--collector.textfile.directory=${this.folder}`,
      "--web.listen-address=127.0.0.1:9100",
    );
    this.spawn(
      this.programs.prometheus,
      `--config.file=${join(this.folder, configuration)}`,
      `--storage.tsdb.path=${prometheus}`,
      "--web.enable-lifecycle",
    );
    this.spawn(
      this.programs.alertmanager,
      `--config.file=${join(this.folder, FILES.alertmanager)}`,
      `--storage.path=${alertmanager}`,
      "--web.listen-address=127.0.0.1:9093",
      "--cluster.listen-address=",
    );
  }

  stop(): void {
    for (const program of this.running) program.killAll();
  }

  amtool(words: readonly string[]): Promise<unknown> {
    return this.operator.run(this.programs.amtool, words);
  }

  /** Prometheus reads its configuration and its rules again. */
  async reload(): Promise<void> {
    await this.operator.run("curl", ["-sS", "-f", "-X", "POST", "http://127.0.0.1:9090/-/reload"]);
  }

  private spawnScript(script: string, ...args: string[]): void {
    this.spawn("node", "--require", "./typescript.cjs", join(__dirname, script), ...args);
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

  /** The versions of the Prometheus and the Alertmanager that run. */
  async versions(): Promise<readonly [prometheus: string, alertmanager: string]> {
    const { version } = await this.api<{ version: string }>("status/buildinfo");
    const { stdout } = await this.operator.run("curl", ["-sS", "http://127.0.0.1:9093/api/v2/status"]);
    return [version, JSON.parse(stdout).versionInfo.version];
  }

  /** The values that a dashboard offers for a variable: of a label of some series. */
  labelValues(label: string, series: string): Promise<readonly string[]> {
    return this.api(`label/${label}/values`, [`match[]=${series}`]);
  }

  /** When each alert fired first since a moment, in seconds since then. */
  async firstFired(begun: number): Promise<ReadonlyMap<string, number>> {
    const found = await this.queryRange('count by (alertname) (ALERTS{alertstate="firing"})', new Date(begun));
    return new Map(
      found.map(({ metric, values }) => [metric.alertname ?? "", (values[0]?.[0] ?? 0) - begun / 1000] as const),
    );
  }

  private async ask<Result>(kind: string, promql: string, more: readonly string[] = []): Promise<Result> {
    const { result } = await this.api<{ result: Result }>(kind, [`query=${promql}`, ...more]);
    return result;
  }

  private async api<Data>(path: string, parameters: readonly string[] = []): Promise<Data> {
    const encoded = parameters.flatMap((parameter) => ["--data-urlencode", parameter]);
    const url = `http://127.0.0.1:9090/api/v1/${path}`;
    const { stdout } = await this.operator.run("curl", ["-sS", "-G", "-m", "20", ...encoded, url]);
    const { status, error, data } = JSON.parse(stdout);
    if (status !== "success") throw new Error(`${parameters[0]}: ${error}`);
    return data;
  }

  /** Names of the alerts that fired at some time since a moment. */
  async firedSince(begun: number, labels = ""): Promise<string[]> {
    const seconds = Math.ceil((Date.now() - begun) / 1000);
    const fired = await this.query(
      `count by (alertname) (count_over_time(ALERTS{alertstate="firing"${labels}}[${seconds}s]))`,
    );
    return fired.map(({ metric }) => metric.alertname ?? "").sort();
  }

  /** Names of the alerts that fire now. */
  async firing(): Promise<string[]> {
    const found = await this.query('count by (alertname) (ALERTS{alertstate="firing"})');
    return found.map(({ metric }) => metric.alertname ?? "").sort();
  }
}
