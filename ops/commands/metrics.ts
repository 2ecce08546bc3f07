import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Cluster, Metrics } from "../../cluster/model";
import type { ConsulAnswer } from "../../rollout/consul-api";
import { chosenCluster } from "../chosen-cluster";
import { withAgent } from "../docker/agent";
import { replaceFile } from "../files";
import { alertmanagerFile } from "../metrics/alertmanager";
import { dashboardFile } from "../metrics/dashboard";
import { rulesFile } from "../metrics/rules";
import { FILES, scrapeConfigs } from "../metrics/scrape-config";
import { jobsOf } from "../metrics/targets";
import { count } from "../terminal/format";
import type { Terminal } from "../terminal/terminal";

export interface MetricsOptions {
  /** The folder to write to. */
  readonly out?: string;
  /** The folder of the token and the certificate, where Prometheus runs. */
  readonly secrets?: string;
  /** The URL at which http_sd finds the files of agents. */
  readonly url: string;
  /** Download the CA of client agents from the running cluster. */
  readonly clientsCa: boolean;
}

export async function metrics({ out, secrets, clientsCa, url }: MetricsOptions, terminal: Terminal): Promise<number> {
  const { file, cluster } = chosenCluster(terminal.log);
  if (!cluster.metrics)
    throw new Error(
      `${file}: agents export no metrics\n  add \`metrics: on\`, then: npm run secrets -- init; npm run deploy`,
    );
  const folder = out ?? `metrics/${cluster.name}`;
  const found = { url, secrets: secrets ?? `/etc/prometheus/consul/${cluster.name}` };
  const written = new Map([
    ...scrapeConfigs(cluster, found),
    [FILES.rules, rulesFile(cluster, cluster.metrics)],
    [FILES.dashboard, dashboardFile(cluster)],
    [FILES.alertmanager, alertmanagerFile()],
  ]);
  if (clientsCa) written.set(FILES.clientsCa, await caOfClients(cluster));
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of written) replaceFile(join(folder, name), content);
  terminal.print(`wrote ${count(written.size, "file")} to ${folder}`);
  for (const line of missing(cluster, cluster.metrics, folder)) terminal.log(line);
  return 0;
}

/** What the written files name, and is not there. */
function missing(cluster: Cluster, { runbooks }: Metrics, folder: string): string[] {
  const needsCa =
    cluster.security !== undefined &&
    jobsOf(cluster).some(({ role, scheme }) => role === "client" && scheme === "https");
  return [
    ...(needsCa && !existsSync(join(folder, FILES.clientsCa))
      ? [
          `${join(folder, FILES.clientsCa)} is not there yet: without it Prometheus does not scrape client agents. ` +
            "When the cluster runs: npm run metrics -- --clients-ca",
        ]
      : []),
    ...(/^https?:/.test(runbooks)
      ? []
      : [`alerts link to ${runbooks}, which is no URL: write the URL of a copy of it into metrics.runbooks`]),
  ];
}

/** The CAs inside Consul that may have signed the certificates of client agents. They are public. */
async function caOfClients(cluster: Cluster): Promise<string> {
  const servers = cluster.agents.filter(({ role }) => role === "server");
  const reasons: string[] = [];
  for (const server of servers) {
    const answer = await withAgent(server, ({ api }) =>
      api.send({ method: "GET", path: "/v1/connect/ca/roots?pem=true" }),
    ).catch((error: Error): ConsulAnswer => ({ status: 0, body: error.message }));
    if (answer.status === 200 && answer.body.includes("BEGIN CERTIFICATE")) return answer.body;
    reasons.push(`${server.name}: ${answer.body.trim() || `status ${answer.status}`}`);
  }
  throw new Error(`no server tells the CA of client agents\n  ${reasons.join("\n  ")}`);
}
