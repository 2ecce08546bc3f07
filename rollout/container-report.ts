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
/** SecretIDs are UUIDs, as many other ids are; gossip keys and lines of private keys are long base64. */
const SECRET_FORMS = /\b[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\b|[A-Za-z\d+/]{40,}={0,2}/gi;

/**
 * Why an agent may not be ready, as its container shows it: the container's state, and the last lines of its log that
 * name a problem, without what could be a secret.
 * @returns a line for the state, and up to seven for the log
 */
export async function containerReport(docker: Docker, container: string): Promise<string> {
  const inspect = await docker.run(["container", "inspect", "-f", FORMAT, container]);
  const state = inspect.ok ? parsed<State>(inspect.output) : undefined;
  if (!state) return `its container cannot be inspected: ${inspect.error || "it tells no state"}`;
  return [describe(state), ...(await lastLines(docker, container))].join("\n");
}

function describe({ status, exitCode, outOfMemory, error, restarts }: State): string {
  const details = [`its container ${status === "exited" ? "has" : "is"} ${status}`];
  if (status !== "running") details.push(`exit code ${exitCode}`);
  if (outOfMemory) details.push("killed because it had no memory left");
  if (restarts > 0) details.push(`restarted ${restarts} times`);
  if (error !== "") details.push(`Docker's error: ${withoutSecrets(error)}`);
  return details.join(", ");
}

async function lastLines(docker: Docker, container: string): Promise<readonly string[]> {
  const logs = await docker.run(["container", "logs", "--timestamps", "--tail", String(TAIL), container]);
  if (!logs.ok) return [`its log cannot be read: ${logs.error}`];
  // Timestamps have one length, so they order the lines of both outputs.
  const outputs = [logs.output, logs.errorOutput ?? ""].map(withoutSecrets);
  const lines = outputs
    .flatMap((output) => output.split("\n"))
    .sort(byTimestamp)
    .map((line) => printable(line.replace(/^\S+ ?/, "")))
    .filter((line) => line !== "");
  if (lines.length === 0) return ["its log is empty"];
  const problems = lines.filter((line) => PROBLEM.test(line)).slice(-MOST_PROBLEMS);
  return problems.length > 0
    ? ["last problems in its log:", ...problems]
    : ["last lines of its log:", ...lines.slice(-MOST_LINES)];
}

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
  `  ${line.replace(/\p{Cc}\[[\d;]*m|\p{Cc}/gu, "").slice(0, MOST_CHARACTERS)}`.trimEnd();
