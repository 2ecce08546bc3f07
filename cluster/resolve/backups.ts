import type { BackupsEntry } from "../file/schema";

/** Backups on a schedule. */
export interface Backups {
  /** Seconds from one to the next. */
  readonly every: number;
  /** How many are kept on each server's host. */
  readonly keep: number;
  /** A volume's name, or a folder of the hosts if it begins with a slash; undefined for a volume that is called as the container is. */
  readonly to?: string;
  /** Undefined for each server's own. */
  readonly image?: string;
}

export const backupsOf = ({ every, ...rest }: BackupsEntry): Backups => ({ ...rest, every: seconds(every) });

const UNITS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };

/** Of `1h30m`. */
const seconds = (period: string): number =>
  [...period.matchAll(/(\d+)([hms])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNITS[unit as string] as number),
    0,
  );
