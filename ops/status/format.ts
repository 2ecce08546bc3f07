import { commandsIn } from "../../cluster/chosen-file";
import { locationText } from "../../cluster/problem";
import type { HealthProblem } from "../inspect/health-problem";
import { count, listed, rolesText, securityText } from "../terminal/format";
import { type Cell, cell, GAP, type Tone, table } from "./rows";
import type { AgentStatus, Status } from "./status";

export interface TextOptions {
  /** Whether a terminal shows the text. */
  readonly colour: boolean;
  /** Shows all agents and all problems, however many. */
  readonly all: boolean;
  /** Characters on a line of the screen: if they are too few, columns are left out. Default unlimited. */
  readonly width?: number;
  /** Lines on the screen: if they are too few, healthy agents are only counted. Default unlimited. */
  readonly room?: number;
}

/** Up to this many agents, all are shown; of more, up to this many unhealthy ones. */
const AGENTS = 30;
/** Up to this many UIs, all are listed; of more, one. */
const UIS = 4;

/** Lists what the screen leaves out. */
const ALL = "npm run status -- --all";

/** A status as one screen of text. */
export function text(status: Status, { room = Number.POSITIVE_INFINITY, ...options }: TextOptions): string {
  const most = options.all ? status.agents.length : AGENTS;
  const whole = screen(status, options, most);
  return `${(whole.length <= room || options.all ? whole : screen(status, options, 0)).join("\n")}\n`;
}

/** @param few up to this many agents, all are shown */
function screen(status: Status, { colour, all, width = Number.POSITIVE_INFINITY }: TextOptions, few: number): string[] {
  const paint = (words: string, tone: Tone) =>
    colour && COLOURS[tone] && words !== "" ? `\x1b[${COLOURS[tone]}m${words}\x1b[0m` : words;
  const unreachable = new Set(status.hosts.filter(({ why }) => why !== undefined).map(({ name }) => name));
  const rank = ({ role, host }: AgentStatus) => 2 * Number(unreachable.has(host)) + Number(role === "client");
  const agents = [...status.agents].sort((a, b) => rank(a) - rank(b));
  const shown = agents.length <= few ? agents : agents.filter(({ healthy }) => !healthy).slice(0, AGENTS);
  const hidden = agents.filter((agent) => !shown.includes(agent));
  const lines = [
    paint(aboutText(status), "plain"),
    status.healthy ? paint("healthy", "healthy") : paint(`unhealthy: ${unhealthyText(status)}`, "unhealthy"),
    "",
    ...facts(status, all).map(([what, value]) => `${paint(what.padEnd(8), "faint")}  ${paint(value.text, value.tone)}`),
  ];
  if (shown.length > 0) lines.push("", ...aligned(table(shown, status, width), paint));
  if (hidden.length > 0) lines.push(paint(`and ${hiddenText(hidden)}: ${commandsIn(ALL)}`, "faint"));
  const addList = (heading: string, tone: Tone, problems: readonly HealthProblem[]) => {
    if (problems.length > 0) lines.push("", paint(heading, tone), ...listOf(problems, all));
  };
  addList("problems", "unhealthy", status.problems);
  addList("notices", "warning", status.notices);
  return lines;
}

const COLOURS: Record<Tone, string | undefined> = {
  plain: undefined,
  healthy: "32",
  warning: "33",
  unhealthy: "31",
  faint: "2",
};

const serversFirst = (a: AgentStatus, b: AgentStatus): number =>
  Number(a.role === "client") - Number(b.role === "client");

const aboutText = ({ cluster, agents, hosts }: Status): string =>
  [
    cluster.name,
    `datacenter ${cluster.datacenter}`,
    `${rolesText(agents)} on ${count(hosts.length, "host")}`,
    securityText(cluster.security),
  ].join(" · ");

function unhealthyText({ agents, hosts, problems }: Status): string {
  const unhealthy = agents.filter(({ healthy }) => !healthy).length;
  const unreachable = hosts.filter(({ why }) => why !== undefined).length;
  const parts = [
    ...(unhealthy > 0 ? [`${unhealthy} of ${count(agents.length, "agent")}`] : []),
    ...(unreachable > 0 ? [`${unreachable} of ${count(hosts.length, "host")} unreachable`] : []),
  ];
  return parts.length > 0 ? parts.join("; ") : count(problems.length, "problem");
}

function hiddenText(hidden: readonly AgentStatus[]): string {
  const unhealthy = hidden.filter(({ healthy }) => !healthy).length;
  const healthy = hidden.length - unhealthy;
  return [
    ...(unhealthy > 0 ? [count(unhealthy, "more unhealthy agent")] : []),
    ...(healthy > 0 ? [count(healthy, "healthy agent")] : []),
  ].join(", ");
}

/** Facts about the cluster as a whole. */
function facts(status: Status, all: boolean): [what: string, value: Cell][] {
  const { leader, voters, agents, hosts, services } = status;
  const fact = (what: string, value: Cell | undefined): [string, Cell][] => (value ? [[what, value]] : []);
  const images = agents.map(({ container }) => container?.image);
  const uis = [...agents].sort(serversFirst).flatMap(({ ui, name }) => (ui ? [`${ui} (${name})`] : []));
  const few = all || uis.length <= UIS;
  return [
    ...fact("leader", leaderCell(leader)),
    ...fact("voters", voters && votersCell(voters, status)),
    ...fact("services", services && servicesCell(services)),
    ...fact("image", commonCell(images)),
    ...fact("docker", commonCell(hosts.map(({ docker }) => docker))),
    ...(few ? uis : [`${uis[0]} and ${uis.length - 1} more`]).flatMap((ui) => fact("ui", cell(ui))),
  ];
}

function leaderCell(leader: Status["leader"]): Cell {
  if (!leader) return cell("none", "unhealthy");
  return cell(leader.agent ? `${leader.agent} (${leader.address})` : leader.address);
}

/** How many servers are voters, and how many of the voters can fail before the quorum is lost. */
function votersCell(voters: readonly string[], { agents, leader }: Status): Cell {
  const follows = (agent: AgentStatus) => agent.leader === (leader?.agent ?? leader?.address);
  const up = voters.filter((node) => agents.some((agent) => agent.node === node && follows(agent))).length;
  const spare = Math.max(0, up - (Math.floor(voters.length / 2) + 1));
  const servers = agents.filter(({ role }) => role === "server").length;
  const tolerates = spare > 0 ? `tolerates ${count(spare, "failure")}` : "tolerates no failure";
  return cell(
    `${voters.length} of ${count(servers, "server")}; ${tolerates}`,
    spare > 0 || voters.length < 3 ? "plain" : "warning",
  );
}

function servicesCell({ names, failing }: NonNullable<Status["services"]>): Cell {
  if (names.length === 0) return cell("none");
  const services = `${names.length} (${listed(names)})`;
  return failing.length > 0
    ? cell(`${services}; ${count(failing.length, "check")} failing`, "warning")
    : cell(services);
}

/** The most frequent value, then the others with their numbers; undefined when there is no value. */
function commonCell(values: readonly (string | undefined)[]): Cell | undefined {
  const times = new Map<string, number>();
  for (const value of values) if (value !== undefined) times.set(value, (times.get(value) ?? 0) + 1);
  const [most, ...others] = [...times].sort(([, timesOfA], [, timesOfB]) => timesOfB - timesOfA);
  return most && cell([most[0], ...others.map(([value, number]) => `${value} (${number})`)].join(", "));
}

function aligned(rows: readonly (readonly Cell[])[], paint: (words: string, tone: Tone) => string): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.text.length ?? 0)));
  return rows.map((row) =>
    row
      .map(({ text, tone }, column) => paint(text, tone) + " ".repeat((widths[column] ?? 0) - text.length))
      .join(GAP)
      .trimEnd(),
  );
}

/** A line for each problem, and one for its hint. A problem that many agents share is listed once. */
function listOf(problems: readonly HealthProblem[], all: boolean): string[] {
  const alike = new Map<string, HealthProblem[]>();
  for (const problem of problems) alike.set(problem.message, [...(alike.get(problem.message) ?? []), problem]);
  const groups = [...alike.values()].flatMap((group) =>
    all || group.length <= TOGETHER ? group.map((problem) => [problem]) : [group],
  );
  const shown = all ? groups : groups.slice(0, LISTED);
  const rest = groups.slice(shown.length).flat().length;
  return [...shown.flatMap(entry), ...(rest > 0 ? [`  and ${rest} more: ${commandsIn(ALL)}`] : [])];
}

/** Up to this many agents with the same problem have a line each. */
const TOGETHER = 5;
/** Problems that are listed before the rest are counted. */
const LISTED = 30;

function entry(group: readonly HealthProblem[]): string[] {
  const [{ message, hint }, ...others] = group as [HealthProblem, ...HealthProblem[]];
  const names = listed(group.map(({ location }) => locationText(location)));
  const hints = hint && others.some((other) => other.hint !== hint) ? `${hint}; likewise for the others` : hint;
  return [`  ${names === "" ? "" : `${names}: `}${message}`, ...(hints ? [`      hint: ${commandsIn(hints)}`] : [])];
}
