import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { AgentDescription } from "../../cluster/model";
import { endedWithProgram } from "../../rollout/docker-cli";
import { docker } from "../docker/docker";
import { adaptiveTimeoutSeconds, pingDaemon } from "../docker/hosts";
import { exitCodeOf } from "../process";

/** A line of an agent's log. */
export interface LogLine {
  readonly host: string;
  readonly agent: string;
  /** When Docker received it, in UTC with nanoseconds: times are ordered like their texts. */
  readonly time: string;
  readonly line: string;
}

export interface LogOptions {
  /** As `docker logs` takes it: a time, or an age. */
  readonly since?: string;
  /** How many of the last lines; undefined for all. */
  readonly tail?: number;
  /** Also read what is written later. */
  readonly follow: boolean;
}

const TIMED = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) ?(.*)$/s;

/**
 * Reads an agent's log: its standard output and its standard error.
 * @param take gets each line. Reading waits for it, so that lines do not pile up in memory
 * @returns why it cannot be read (any more); undefined if it ended normally
 */
export async function readLog(
  agent: AgentDescription,
  options: LogOptions,
  take: (line: LogLine) => Promise<void>,
): Promise<string | undefined> {
  const { name, host, container } = agent;
  const answer = await pingDaemon(host, await adaptiveTimeoutSeconds());
  if ("why" in answer) return `its Docker daemon is unreachable: ${answer.why}`;
  const { since, tail, follow } = options;
  const words = [
    ...(since ? ["--since", since] : []),
    ...(tail === undefined ? [] : ["--tail", String(tail)]),
    ...(follow ? ["--follow"] : []),
  ];
  const cli = docker(host.daemon);
  const command = cli.command(["logs", "--timestamps", ...words, container]);
  // One stream for both keeps their order.
  const child = endedWithProgram(
    spawn("sh", ["-c", 'exec "$0" "$@" 2>&1', ...command], { env: cli.env, stdio: ["ignore", "pipe", "ignore"] }),
  );
  const ended = exitCodeOf(child);
  let error = "";
  for await (const text of linesOf(child.stdout)) {
    const [, time, line] = TIMED.exec(text) ?? [];
    // A line without a time is the docker CLI's own.
    if (time === undefined || line === undefined) error = text;
    else await take({ host: host.name, agent: name, time, line });
  }
  const exitCode = await ended;
  return exitCode === 0 ? undefined : error || `docker logs ended with exit code ${exitCode}`;
}

/** An endless line would fill the memory. */
const LONGEST = 64 * 1024;

/** Lines of a stream, which is read only as fast as they are taken. */
export async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stream.setEncoding("utf8")) {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
    if (rest.length > LONGEST) {
      yield rest;
      rest = "";
    }
  }
  if (rest !== "") yield rest;
}
