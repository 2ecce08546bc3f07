import type { Panel } from "../../ops/metrics/dashboard";
import type { Range } from "./monitoring";

/** A panel, and what Prometheus answered to its queries: docs/dashboard-picture.ts draws it. */
export interface RecordedPanel extends Pick<Panel, "title" | "unit" | "kind"> {
  readonly lines: readonly {
    readonly legend: string;
    readonly points: readonly (readonly [seconds: number, value: number])[];
  }[];
}

/** The picture is small: every fourth value is enough for it, and so are four digits. */
const EVERY = 4;
const DIGITS = 4;

/** A time series in seconds since a moment. */
export const recorded = (legend: string, { metric, values }: Range, begun: Date): RecordedPanel["lines"][number] => ({
  legend: legend.replace("{{agent}}", metric.agent ?? ""),
  points: values
    .map(([time, value]): [number, number] => [
      Math.round(time - begun.getTime() / 1000),
      Number(Number(value).toPrecision(DIGITS)),
    ])
    .filter(([, value], index) => index % EVERY === 0 && Number.isFinite(value)),
});
