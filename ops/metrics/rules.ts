import { stringify } from "yaml";
import type { Cluster, Metrics } from "../../cluster/model";
import { type Alert, alerts, recordings } from "./alerts";

/** The recording and alert rules, as Prometheus reads them. */
export function rulesFile(cluster: Cluster, metrics: Metrics): string {
  const groups = [
    { name: `consul-${cluster.name}-recordings`, rules: recordings(cluster) },
    { name: `consul-${cluster.name}-alerts`, rules: alerts(cluster, metrics).map((alert) => rule(alert, metrics)) },
  ];
  return stringify({ groups }, { lineWidth: 0 });
}

/** The part of docs/metrics.md about an alert. */
export const anchorOf = ({ name }: Pick<Alert, "name">): string => name.toLowerCase();

function rule({ name, expr, for: lasting, urgency, summary, description }: Alert, { runbooks }: Metrics): object {
  return {
    alert: name,
    expr,
    ...(lasting === undefined ? {} : { for: lasting }),
    labels: { severity: urgency },
    annotations: { summary, description, runbook_url: `${runbooks}#${anchorOf({ name })}` },
  };
}
