import { whereText } from "../inspect/findings";
import { count, listed, rolesText, securityText } from "../terminal/format";
import type { Notice } from "./notices";
import { type Cell, cell, type Tone, table } from "./rows";
import type { AgentStatus, Status } from "./status";

export interface TextOptions {
  /** Whether a terminal shows it. */
  readonly colour: boolean;
  /** Agents that are well, and all that is wrong, however many. */
  readonly all: boolean;
  /** Lines that there is room for: when they are too few, agents that are well are counted. Default unbounded. */
  readonly room?: number;
}

/** Up to so many agents, all are shown; of more, so many that are not well. */
const AGENTS = 30;
/** Up to so many UIs, all are listed; of more, one. */
const UIS = 4;

/** A status for people: one screen. */
export function text(status: Status, { room = Number.POSITIVE_INFINITY, ...options }: TextOptions): string {
  const most = options.all ? status.agents.length : AGENTS;
  const whole = screen(status, options, most);
  return `${(whole.length <= room || options.all ? whole : screen(status, options, 0)).join("\n")}\n`;
}

/** @param few up to so many agents, all are shown */
function screen(status: Status, { colour, all }: TextOptions, few: number): string[] {
  const paint = (words: string, tone: Tone) =>
    colour && COLOURS[tone] && words !== "" ? `\x1b[${COLOURS[tone]}m${words}\x1b[0m` : words;
  const silent = new Set(status.hosts.filter(({ why }) => why !== undefined).map(({ name }) => name));
  const rank = ({ role, host }: AgentStatus) => 2 * Number(silent.has(host)) + Number(role === "client");
  const agents = [...status.agents].sort((one, other) => rank(one) - rank(other));
  const shown = agents.length <= few ? agents : agents.filter(({ well }) => !well).slice(0, AGENTS);
  const hidden = agents.filter((agent) => !shown.includes(agent));
  const lines = [
    paint(aboutText(status), "plain"),
    status.well ? paint("well", "well") : paint(`not well: ${unwellText(status)}`, "unwell"),
    "",
    ...facts(status, all).map(([what, value]) => `${paint(what.padEnd(8), "faint")}  ${paint(value.text, value.tone)}`),
  ];
  if (shown.length > 0) lines.push("", ...aligned(table(shown, status), paint));
  if (hidden.length > 0) lines.push(paint(`and ${hiddenText(hidden)}: npm run status -- --all`, "faint"));
  const told = (heading: string, tone: Tone, notes: readonly Notice[]) => {
    if (notes.length > 0) lines.push("", paint(heading, tone), ...listOf(notes, all));
  };
  told("not well", "unwell", status.findings.map(withFix));
  told("to be known", "warning", status.notes);
  return lines;
}

const COLOURS: Record<Tone, string | undefined> = {
  plain: undefined,
  well: "32",
  warning: "33",
  unwell: "31",
  faint: "2",
};

const serversFirst = (one: AgentStatus, other: AgentStatus): number =>
  Number(one.role === "client") - Number(other.role === "client");

const aboutText = ({ cluster, agents, hosts }: Status): string =>
  [
    cluster.name,
    `datacenter ${cluster.datacenter}`,
    `${rolesText(agents)} on ${count(hosts.length, "host")}`,
    securityText(cluster.security),
  ].join(" · ");

function unwellText({ agents, hosts, findings }: Status): string {
  const ill = agents.filter(({ well }) => !well).length;
  const silent = hosts.filter(({ why }) => why !== undefined).length;
  const parts = [
    ...(ill > 0 ? [`${ill} of ${count(agents.length, "agent")}`] : []),
    ...(silent > 0 ? [`${silent} of ${count(hosts.length, "host")} ${silent === 1 ? "does" : "do"} not answer`] : []),
  ];
  return parts.length > 0 ? parts.join("; ") : count(findings.length, "finding");
}

function hiddenText(hidden: readonly AgentStatus[]): string {
  const ill = hidden.filter(({ well }) => !well).length;
  return [
    ...(ill > 0 ? [`${count(ill, "agent")} more not well`] : []),
    ...(hidden.length > ill ? [`${count(hidden.length - ill, "agent")} well`] : []),
  ].join(", ");
}

/** What is one thing for the whole cluster. */
function facts(status: Status, all: boolean): [what: string, value: Cell][] {
  const { leader, voters, agents, hosts, services } = status;
  const fact = (what: string, value: Cell | undefined): [string, Cell][] => (value ? [[what, value]] : []);
  const images = agents.map(({ container }) => container?.image);
  const uis = [...agents].sort(serversFirst).flatMap(({ ui, name }) => (ui ? [`${ui} (${name})`] : []));
  const few = all || uis.length <= UIS;
  return [
    ...fact(
      "leader",
      leader ? cell(leader.agent ? `${leader.agent} (${leader.address})` : leader.address) : cell("none", "unwell"),
    ),
    ...fact("voters", voters && votersCell(voters, status)),
    ...fact("services", services && servicesCell(services)),
    ...fact("image", commonCell(images)),
    ...fact("docker", commonCell(hosts.map(({ docker }) => docker))),
    ...(few ? uis : [`${uis[0]} and ${uis.length - 1} more`]).flatMap((ui) => fact("ui", cell(ui))),
  ];
}

/** How many vote, and how many of them may be lost before nothing can be written any more. */
function votersCell(voters: readonly string[], { agents, leader }: Status): Cell {
  const follows = (agent: AgentStatus) => agent.leader === (leader?.agent ?? leader?.address);
  const up = voters.filter((node) => agents.some((agent) => agent.node === node && follows(agent))).length;
  const spare = up - (Math.floor(voters.length / 2) + 1);
  const servers = agents.filter(({ role }) => role === "server").length;
  const words = `${voters.length} of ${count(servers, "server")}; ${spare > 0 ? spare : "none"} may be lost`;
  return cell(words, spare > 0 || voters.length < 3 ? "plain" : "warning");
}

function servicesCell({ names, failing }: NonNullable<Status["services"]>): Cell {
  if (names.length === 0) return cell("none");
  const words = `${names.length} (${listed(names)})`;
  return failing.length > 0 ? cell(`${words}; ${count(failing.length, "check")} failing`, "warning") : cell(words);
}

/** What most have, and how many have others; undefined where nobody has any. */
function commonCell(values: readonly (string | undefined)[]): Cell | undefined {
  const times = new Map<string, number>();
  for (const value of values) if (value !== undefined) times.set(value, (times.get(value) ?? 0) + 1);
  const [most, ...others] = [...times].sort(([, one], [, other]) => other - one);
  return most && cell([most[0], ...others.map(([value, number]) => `${value} (${number})`)].join(", "));
}

function aligned(rows: readonly (readonly Cell[])[], paint: (words: string, tone: Tone) => string): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.text.length ?? 0)));
  return rows.map((row) =>
    row
      .map(({ text, tone }, column) => paint(text, tone) + " ".repeat((widths[column] ?? 0) - text.length))
      .join("  ")
      .trimEnd(),
  );
}

/** What `npm run doctor -- --fix` hints, it is to hint: by hand is the second way. */
const withFix = ({ host, agent, what, hint, action }: Status["findings"][number]): Notice => ({
  ...{ host, agent, what },
  hint: action === undefined || hint.includes("--fix") ? hint : `npm run doctor -- --fix (${hint})`,
});

/** A line or two for each; what many have in common is said once. */
function listOf(notes: readonly Notice[], all: boolean): string[] {
  const alike = new Map<string, Notice[]>();
  for (const note of notes) alike.set(note.what, [...(alike.get(note.what) ?? []), note]);
  const groups = [...alike.values()].flatMap((group) =>
    all || group.length <= TOGETHER ? group.map((note) => [note]) : [group],
  );
  const shown = all ? groups : groups.slice(0, LISTED);
  const rest = groups.slice(shown.length).flat().length;
  return [...shown.flatMap(entry), ...(rest > 0 ? [`  and ${rest} more: npm run status -- --all`] : [])];
}

/** Up to so many agents of which the same is to be said, each has its own line. */
const TOGETHER = 5;
/** Lines for agents, or many agents, before the rest are counted. */
const LISTED = 30;

function entry(group: readonly Notice[]): string[] {
  const [{ what, hint }, ...others] = group as [Notice, ...Notice[]];
  const names = listed(group.map(whereText));
  const hints = hint && others.some((other) => other.hint !== hint) ? `${hint}; and so for the others` : hint;
  return [`  ${names === "" ? "" : `${names}: `}${what}`, ...(hints ? [`      ${hints}`] : [])];
}
