import type { Backups } from "../model";
import { DEFAULTS } from "./defaults";

/** Scheduled backups as a cluster file or a program describes them. */
interface BackupsInput {
  /** A period as Go writes it, `1h30m`, or seconds. */
  readonly every?: string | number;
  readonly keep?: number;
  readonly to?: string;
  readonly image?: string;
}

/** Applies the defaults of scheduled backups, for cluster files and programs alike. */
export function resolveBackups({ to, image, ...schedule }: BackupsInput): Backups {
  const { every = DEFAULTS.backups.every, keep = DEFAULTS.backups.keep } = schedule;
  return { every: typeof every === "number" ? every : seconds(every), keep, to, image };
}

const UNITS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };

const seconds = (period: string): number =>
  [...period.matchAll(/(\d+)([hms])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNITS[unit as string] as number),
    0,
  );
