import { type AgentFailure, failureIn } from "../consul/agent-failures";
import { masked } from "../consul/secret-detection";
import { parsed } from "./consul-api";
import type { Docker } from "./docker";

/** A container's state, as `docker container inspect` prints it by this format. */
const FORMAT =
  '{"status":{{json .State.Status}},"exitCode":{{json .State.ExitCode}},"outOfMemory":{{json .State.OOMKilled}},' +
  '"error":{{json .State.Error}},"restarts":{{json .RestartCount}}}';

interface State {
  readonly status: string;
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  /** Why Docker could not start it; "" if it could. */
  readonly error: string;
  readonly restarts: number;
}

/** The log's end, in which problems are searched. */
const TAIL = 200;
const MOST_PROBLEMS = 6;
/** Of a log without problems. */
const MOST_LINES = 3;
const MOST_CHARACTERS = 240;

/** Consul's levels, also in JSON (`log_json`), and the messages of an agent that does not start, which have none. */
const PROBLEM = /\[(ERROR|WARN)\]|"@level":"(error|warn)"|\b(error|fatal|panic|failed)\b/i;
/** The causes of an error, each on a line below it: `  | \t* listen tcp ...`, `\t* invalid config key`. */
const CAUSE = /^\s*(\|\s*(\\t)?)?\*\s/;
/** SecretIDs are UUIDs, as many other ids are; gossip keys and lines of private keys are long base64. */
const SECRET_FORMS = /\b[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\b|[A-Za-z\d+/]{40,}={0,2}/gi;

/** Why an agent may not be ready, as its container shows it. Nothing in it could be a secret. */
export interface ContainerReport {
  /** A line for the container's state, and up to seven for its log. */
  readonly lines: readonly string[];
  /** Why the agent ends or waits, if its log shows one of the known reasons. */
  readonly failure?: AgentFailure;
  /** The line of the log that shows it, or the last line. */
  readonly line?: string;
}

/** @param seconds until the daemon is given up */
export async function containerReport(docker: Docker, container: string, seconds?: number): Promise<ContainerReport> {
  const inspect = await docker.run(["container", "inspect", "-f", FORMAT, container], { seconds });
  const state = inspect.ok ? parsed<State>(inspect.output) : undefined;
  if (!state) return { lines: [`its container cannot be inspected: ${inspect.error || "it tells no state"}`] };
  const log = await logLines(docker, container, seconds);
  if (typeof log === "string") return { lines: [describe(state), log] };
  const { failure, line = log.at(-1) } = failureIn(log) ?? {};
  const reason = failure ? [`reason: ${failure.meaning}`, `hint: ${failure.hint}`] : [];
  return { lines: [describe(state), ...reason, ...excerpt(log)], failure, line };
}

/** The report in short, after a message about the agent: `: another program ... (listen tcp ...)`. */
export function reasonText({ failure, line }: ContainerReport): string {
  if (failure) return `: ${failure.meaning} (${line?.trim()})`;
  return line === undefined ? "" : ` (last log line: ${line.trim()})`;
}

function describe({ status, exitCode, outOfMemory, error, restarts }: State): string {
  const details = [`its container ${status === "exited" ? "has" : "is"} ${status}`];
  if (status !== "running") details.push(`exit code ${exitCode}`);
  if (outOfMemory) details.push("killed because it had no memory left");
  if (restarts > 0) details.push(`restarted ${restarts} times`);
  if (error !== "") details.push(`Docker's error: ${withoutSecrets(error)}`);
  return details.join(", ");
}

/** The log's last lines, or why they cannot be read. */
async function logLines(docker: Docker, container: string, seconds?: number): Promise<readonly string[] | string> {
  const args = ["container", "logs", "--timestamps", "--tail", String(TAIL), container];
  const logs = await docker.run(args, { seconds });
  if (!logs.ok) return `its log cannot be read: ${logs.error}`;
  // Timestamps have one length, so they order the lines of both outputs.
  const outputs = [logs.output, logs.errorOutput ?? ""].map(withoutSecrets);
  return outputs
    .flatMap((output) => output.split("\n"))
    .sort(byTimestamp)
    .map((line) => printable(line.replace(/^\S+ ?/, "")))
    .filter((line) => line !== "");
}

function excerpt(lines: readonly string[]): string[] {
  if (lines.length === 0) return ["its log is empty"];
  const problems = lines.filter((line) => PROBLEM.test(line) || CAUSE.test(line)).slice(-MOST_PROBLEMS);
  return problems.length > 0
    ? ["last problems in its log:", ...problems.map(indented)]
    : ["last lines of its log:", ...lines.slice(-MOST_LINES).map(indented)];
}

const indented = (line: string): string => `  ${line}`;

/** The order of lines of one moment stays. */
function byTimestamp(a: string, b: string): number {
  const left = timestamp(a);
  const right = timestamp(b);
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

const timestamp = (line: string): string => line.replace(/ .*/s, "");

/** A private key goes over several lines, so a text is masked as a whole. */
const withoutSecrets = (text: string): string => masked(text).replace(SECRET_FORMS, "***");

/** A line without colours and control characters. */
const printable = (line: string): string =>
  line
    .replace(/\p{Cc}\[[\d;]*m|\p{Cc}/gu, "")
    .slice(0, MOST_CHARACTERS)
    .trimEnd();
