import { stringify } from "yaml";
import type { Cluster } from "../../cluster/model";
import { type Job, jobsOf } from "./targets";

/** Names of the files that `consul-cdktf metrics` writes. */
export const FILES = {
  scrape: "prometheus.yml",
  fileScrape: "prometheus-file-sd.yml",
  httpScrape: "prometheus-http-sd.yml",
  rules: "consul.rules.yml",
  dashboard: "dashboard.json",
  alertmanager: "alertmanager.yml",
  clientsCa: "clients-ca.pem",
} as const;

/** A job's agents, as file_sd and http_sd read them. */
export const targetsFile = ({ name }: Job): string => `${name}.json`;

export interface ScrapeOptions {
  /** The folder of the token and the certificate where Prometheus runs; relative to its configuration. */
  readonly secrets: string;
  /** Only for http_sd: the URL at which the JSON files of agents are served. */
  readonly url: string;
}

/** How Prometheus finds the agents. */
type Discovery = (job: Job, options: ScrapeOptions) => object;

const DISCOVERIES = {
  [FILES.scrape]: (job) => ({ static_configs: job.targets }),
  [FILES.fileScrape]: (job) => ({ file_sd_configs: [{ files: [targetsFile(job)] }] }),
  [FILES.httpScrape]: (job, { url }) => ({
    http_sd_configs: [{ url: `${url.replace(/\/$/, "")}/${targetsFile(job)}` }],
  }),
} as const satisfies Record<string, Discovery>;

/** Prometheus' configurations, one for each way to find the agents, and the files of agents. */
export function scrapeConfigs(cluster: Cluster, options: ScrapeOptions): ReadonlyMap<string, string> {
  const jobs = jobsOf(cluster);
  return new Map([
    ...Object.entries(DISCOVERIES).map(([file, discovery]: [string, Discovery]): [string, string] => [
      file,
      stringify({
        global: { scrape_interval: "15s", evaluation_interval: "15s" },
        rule_files: [FILES.rules],
        alerting: { alertmanagers: [{ static_configs: [{ targets: ["127.0.0.1:9093"] }] }] },
        scrape_configs: jobs.map((job) => ({ ...scraping(cluster, job, options), ...discovery(job, options) })),
      }),
    ]),
    ...jobs.map((job): [string, string] => [targetsFile(job), `${JSON.stringify(job.targets, null, 2)}\n`]),
  ]);
}

function scraping({ network, security }: Cluster, { name, role, scheme }: Job, { secrets }: ScrapeOptions): object {
  const config = {
    job_name: name,
    metrics_path: "/v1/agent/metrics",
    params: { format: ["prometheus"] },
    scheme,
  };
  if (!security) return config;
  const authorization = { credentials_file: `${secrets}/token` };
  if (scheme === "http") return { ...config, authorization };
  const tls = {
    // The servers issue the certificates of client agents, by another CA.
    ca_file: role === "client" ? FILES.clientsCa : `${secrets}/ca.pem`,
    cert_file: `${secrets}/cert.pem`,
    key_file: `${secrets}/key.pem`,
  };
  // Certificates have the addresses of agents in their bridge network, and not those at which ports are published.
  return { ...config, authorization, tls_config: network === "bridge" ? { ...tls, server_name: "localhost" } : tls };
}
