/** The content of a snapshot, by `consul snapshot inspect`. */
export interface Snapshot {
  readonly index: number;
  readonly term: number;
  /** The time of the snapshot, by the clock of the server that saved it: 2026-11-25T01:05:16.165Z. */
  readonly taken: string;
  readonly bytes: number;
  /** Numbers of records, by Consul's names of their kinds. */
  readonly records: Readonly<Record<string, number>>;
}

/**
 * Parses the output of `consul snapshot inspect -format=json`.
 * @param bytes the size of the file
 */
export function parseInspection(text: string, bytes: number): Snapshot {
  const { Meta, Stats } = JSON.parse(text) as {
    Meta: { ID: string; Index: number; Term: number };
    Stats: { Name: string; Count: number }[] | null;
  };
  // Raft makes the id of term, index and milliseconds.
  const taken = Number(Meta.ID.split("-")[2]);
  return {
    index: Meta.Index,
    term: Meta.Term,
    taken: new Date(taken).toISOString(),
    bytes,
    records: Object.fromEntries(
      (Stats ?? []).map(({ Name, Count }): [string, number] => [Name, Count]).sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
  };
}

const KINDS: Readonly<Record<string, string>> = {
  KVS: "keys",
  Register: "nodes, services and checks",
  Session: "sessions",
  ACLToken: "tokens",
  ACLPolicy: "policies",
  ConfigEntry: "config entries",
  PreparedQuery: "prepared queries",
};

/** `index 33, term 2, taken 2026-11-25 01:05:16 UTC, 4.6 kB: 3 keys, 6 nodes, services and checks` */
export function snapshotText({ index, term, taken, bytes, records }: Snapshot): string {
  const counts = Object.entries(KINDS).flatMap(([kind, words]) => (records[kind] ? [`${records[kind]} ${words}`] : []));
  return `index ${index}, term ${term}, taken ${timeText(taken)}, ${sizeText(bytes)}${counts.length > 0 ? `: ${counts.join(", ")}` : ""}`;
}

export const timeText = (iso: string): string => `${iso.slice(0, 19).replace("T", " ")} UTC`;

export const sizeText = (bytes: number): string =>
  bytes < 1000
    ? `${bytes} bytes`
    : bytes < 1_000_000
      ? `${(bytes / 1000).toFixed(1)} kB`
      : `${(bytes / 1_000_000).toFixed(1)} MB`;

const UNITS: readonly [seconds: number, name: string][] = [
  [86_400, "days"],
  [3600, "hours"],
  [60, "minutes"],
];

/** `3 hours`: the largest unit that gives two or more. */
export function spanText(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  const [size, name] = UNITS.find(([unit]) => seconds >= 2 * unit) ?? [1, "seconds"];
  return `${Math.floor(seconds / size)} ${name}`;
}
