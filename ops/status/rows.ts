import type { AgentStatus, HostStatus, Status } from "./status";

/** What a text's colour says. */
export type Tone = "plain" | "healthy" | "warning" | "unhealthy" | "faint";

export interface Cell {
  readonly text: string;
  readonly tone: Tone;
}

export const cell = (text: string, tone: Tone = "plain"): Cell => ({ text, tone });
const NOTHING = cell("");

interface Column {
  readonly head: string;
  readonly of: (agent: AgentStatus, host: HostStatus | undefined, status: Status) => Cell;
  /** Shown when some row has a value (`any`), or when the values differ (`differ`). Default always. */
  readonly when?: "any" | "differ";
  /** Left out where the rows are wider than the terminal, in this order; last, if it shows what is unhealthy. Default never. */
  readonly spare?: number;
}

const COLUMNS: readonly Column[] = [
  { head: "agent", of: ({ name, healthy }) => cell(name, healthy ? "plain" : "unhealthy") },
  { head: "host", of: ({ name, host }) => cell(host === name ? "" : host), when: "any", spare: 8 },
  { head: "address", of: ({ member }) => cell(member?.address ?? ""), spare: 1 },
  {
    head: "member",
    of: ({ member }) => cell(member?.status ?? "", member && member.status !== "alive" ? "unhealthy" : "plain"),
    spare: 3,
  },
  { head: "role", of: ({ role }) => cell(role), spare: 4 },
  { head: "consul", of: ({ version }) => cell(version ?? ""), spare: 5 },
  { head: "image", of: ({ container }) => cell(shortImage(container?.image)), when: "differ", spare: 9 },
  { head: "docker", of: (_, host) => cell(host?.docker ?? ""), when: "differ", spare: 7 },
  { head: "container", of: containerCell },
  { head: "raft", of: raftCell },
  { head: "leader", of: leaderCell, spare: 6 },
  { head: "certificate", of: certificateCell, when: "any", spare: 2 },
];

/** Different values that a column needs to be shown. */
const LEAST_VALUES = { always: 0, any: 1, differ: 2 } as const;

/** Between two columns. */
export const GAP = "  ";

/**
 * A table of agents: a head, and a row for each.
 * @param width that a row may have
 */
export function table(agents: readonly AgentStatus[], status: Status, width: number): Cell[][] {
  const hosts = new Map(status.hosts.map((host) => [host.name, host]));
  let columns = COLUMNS.map((column) => {
    const cells = agents.map((agent) => column.of(agent, hosts.get(agent.host), status));
    return { ...column, cells: [cell(column.head.toUpperCase(), "faint"), ...cells] };
  }).filter(({ cells: [, ...cells], when }) => {
    const values = new Set(cells.map(({ text }) => text).filter(Boolean));
    return values.size >= LEAST_VALUES[when ?? "always"];
  });
  const rank = ({ cells, spare = 0 }: (typeof columns)[number]) =>
    spare + COLUMNS.length * Number(cells.some(({ tone }) => tone === "unhealthy"));
  const spare = columns.filter((column) => column.spare !== undefined).sort((a, b) => rank(a) - rank(b));
  for (const column of spare) {
    if (widthOf(columns.map(({ cells }) => cells)) <= width) break;
    columns = columns.filter((other) => other !== column);
  }
  return Array.from({ length: agents.length + 1 }, (_, row) => columns.map(({ cells }) => cells[row] ?? NOTHING));
}

const widthOf = (columns: readonly (readonly Cell[])[]): number =>
  columns.reduce((sum, cells) => sum + Math.max(...cells.map(({ text }) => text.length)) + GAP.length, -GAP.length);

function containerCell({ container }: AgentStatus, host: HostStatus | undefined, { at }: Status): Cell {
  if (host?.why !== undefined) return cell("host unreachable", "unhealthy");
  if (!container) return cell("none", "unhealthy");
  const { status, startedAt, health, drifted } = container;
  const running = status === "running";
  const words = [running ? `up ${duration(Date.parse(at) - Date.parse(startedAt))}` : status];
  if (running && health) words.push(health);
  if (drifted) words.push("changed");
  return cell(words.join(", "), containerTone(running && !drifted, health));
}

function containerTone(asDeployed: boolean, health: string | undefined): Tone {
  if (!asDeployed) return "unhealthy";
  return health === "unhealthy" ? "warning" : "healthy";
}

function raftCell({ raft, role, version }: AgentStatus): Cell {
  if (role === "client" || version === undefined) return NOTHING;
  if (!raft?.voter) return cell("no voter", "unhealthy");
  if (raft.leads) return cell("leads", "healthy");
  if (raft.behind === undefined) return cell("votes");
  return cell(`votes, ${raft.behind} behind, ${roundContact(raft.contact)}`, "healthy");
}

/** Go's `12.345678ms` as `12ms`. */
const roundContact = (contact = ""): string => contact.replace(/(\d+)\.\d+/, "$1");

function leaderCell({ leader, version }: AgentStatus, _: HostStatus | undefined, status: Status): Cell {
  if (version === undefined || leader === undefined) return NOTHING;
  if (leader === "") return cell("none", "unhealthy");
  const followsMost = leader === (status.leader?.agent ?? status.leader?.address);
  return cell(leader, followsMost ? "plain" : "unhealthy");
}

const DAY_MS = 24 * 60 * 60 * 1000;

function certificateCell({ certificateUntil }: AgentStatus, _: HostStatus | undefined, { at }: Status): Cell {
  if (certificateUntil === undefined) return NOTHING;
  const left = Date.parse(certificateUntil) - Date.parse(at);
  return left < 0 ? cell(`expired ${certificateUntil.slice(0, 10)}`, "unhealthy") : cell(`for ${duration(left)}`);
}

/** `hashicorp/consul:1.22.2` as `consul:1.22.2` */
function shortImage(image = ""): string {
  return image.replace(/^.*\/(?=[^/]+$)/, "").replace(/(@sha256:.{6}).*$/, "$1…");
}

/** `3 d`, `5 h`, `12 min`, `40 s` */
export function duration(ms: number): string {
  const units = [
    [DAY_MS, "d"],
    [60 * 60 * 1000, "h"],
    [60 * 1000, "min"],
  ] as const;
  const [unit, word] = units.find(([length]) => ms >= 2 * length) ?? [1000, "s"];
  return `${Math.max(0, Math.floor(ms / unit))} ${word}`;
}
