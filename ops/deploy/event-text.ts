import { commandsIn } from "../../cluster/chosen-file";
import { count, listed } from "../terminal/format";
import type { DeployEvent, Failure } from "./events";

type Summary = Extract<DeployEvent, { readonly event: "summary" }>;

/** Events for people, without a terminal: a line each. Nothing for an event that says nothing new. */
export class EventText {
  private readonly printed = new Map<string, string>();

  lines(event: DeployEvent): string[] {
    switch (event.event) {
      case "stack":
        return event.state === "started" ? [`stack ${event.stack}: applying its plan`] : [];
      case "agent":
        return this.agentLines(event.agent, event.detail ?? event.phase);
      case "step":
        return [event.line];
      case "interrupted":
        return [interruptedText(event)];
      case "summary":
        return ["", ...summaryLines(event)];
      default:
        return [];
    }
  }

  /** What a step has logged stays the detail when its agent is ready, or has failed. */
  private agentLines(agent: string, text: string): string[] {
    if (this.printed.get(agent) === text) return [];
    this.printed.set(agent, text);
    return [`${agent}: ${text}`];
  }
}

/** What a signal brings about. */
export function interruptedText({ signal, times }: Extract<DeployEvent, { readonly event: "interrupted" }>): string {
  const cause = signal === "SIGINT" ? "Ctrl-C" : signal;
  return times === 1
    ? `${cause}: no further agent is stopped; what was begun is completed. Ctrl-C again interrupts Terraform`
    : `${cause} again: Terraform is interrupted, and ends what it is doing`;
}

const RESULTS: Record<Summary["result"], string> = {
  done: "done",
  failed: "failed",
  interrupted: "interrupted",
  rejected: "rejected; nothing was changed",
};

/** How a deploy ended, and what to do next. */
export function summaryLines(summary: Summary): string[] {
  const { command, result, seconds, failures, untouched, unfinished, locks, saved, log } = summary;
  const lines = [`${RESULTS[result]} after ${duration(seconds)}`];
  for (const [reason, subjects] of byReason(failures)) lines.push(...indented(`${listed(subjects)}: ${reason}`));
  if (untouched.length > 0) lines.push(`not touched: ${listed(untouched)}`);
  if (unfinished.length > 0) lines.push(`stopped, and not ready: ${listed(unfinished)}`);
  for (const lock of locks ?? []) lines.push(`still locked: ${lock}`);
  const rest = saved ? "plan and approve the rest: npm run plan -- --out FOLDER" : undefined;
  if (result === "failed") lines.push(`next: fix this, then ${rest ?? `npm run ${command} again: it does the rest`}`);
  if (result === "interrupted")
    lines.push(`next: ${rest ?? `npm run ${command} does the rest`}; npm run status shows the cluster`);
  if (log !== undefined) lines.push(`log: ${log}`);
  return lines.map(commandsIn);
}

const indented = (text: string): string[] =>
  text.split("\n").map((line, index) => `${index === 0 ? "  " : "    "}${line}`);

/** Agents that failed for the same reason stand together. */
function byReason(failures: readonly Failure[]): Map<string, string[]> {
  const grouped = new Map<string, string[]>();
  for (const { stack, subject = `stack ${stack}`, reason } of failures)
    grouped.set(reason, [...(grouped.get(reason) ?? []), subject]);
  return grouped;
}

/** `0:27`, `1:02:03` */
export function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (number: number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** `3 of 4 agents` */
export const agentsText = (some: number, all: number): string => `${some} of ${count(all, "agent")}`;
