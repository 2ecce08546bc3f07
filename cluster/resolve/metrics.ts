import type { ParsedClusterFile } from "../file/schema";
import type { Metrics } from "../model";
import { DEFAULTS } from "./defaults";

/** Undefined for `metrics: off`. */
export function metricsOf({ metrics }: Pick<ParsedClusterFile, "metrics">): Metrics | undefined {
  if (metrics === "off") return undefined;
  const { runbooks = DEFAULTS.metrics.runbooks, thresholds } = metrics === "on" ? {} : metrics;
  return { runbooks, thresholds: { ...DEFAULTS.metrics.thresholds, ...thresholds } };
}
