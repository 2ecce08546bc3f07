import type { Location } from "../project/locations";
import type { PlannedStack } from "./planned-stacks";

/** It changes when a program that reads events would misunderstand them. New events and fields do not change it. */
export const EVENTS_VERSION = 1;

export type DeployCommand = "deploy" | "destroy";

/**
 * `pending`: nothing was begun. `waiting`: for its pre-stop check, which says what it waits for. `stopping`, `stopped`,
 * `starting`: until its readiness check has passed. `ready`, `removed`, `failed`: the end.
 */
export type AgentPhase = "pending" | "waiting" | "stopping" | "stopped" | "starting" | "ready" | "removed" | "failed";

/** Where an agent is in a deploy. */
export interface AgentState {
  readonly agent: string;
  readonly stack: string;
  readonly phase: AgentPhase;
  /** What the step of the deploy that runs for it has logged last; the reason, if it failed. */
  readonly detail?: string;
  /** Since when phase and detail are as they are, in milliseconds since 1970. */
  readonly since: number;
}

/** What failed, and why. */
export interface Failure {
  /** Undefined for the deploy as a whole. */
  readonly stack?: string;
  /** An agent, or a Terraform address. Undefined for the stack as a whole. */
  readonly subject?: string;
  readonly reason: string;
}

/** `rejected`: nothing was changed. */
export type DeployResult = "done" | "failed" | "interrupted" | "rejected";

export type DeployEvent =
  | {
      readonly event: "plan";
      readonly command: DeployCommand;
      readonly file: string;
      readonly stacks: readonly PlannedStack[];
      /** Stacks of which all hosts are skipped: these hosts. */
      readonly skipped: Readonly<Record<string, readonly string[]>>;
    }
  | { readonly event: "approved"; readonly by: "answer" | "option" | "no changes" | "saved plan" }
  | { readonly event: "stack"; readonly stack: string; readonly state: "started" | "done" | "failed" }
  | ({ readonly event: "agent" } & AgentState)
  /** A step that is no agent's, and what it has logged. */
  | { readonly event: "step"; readonly stack: string; readonly address: string; readonly line: string }
  | { readonly event: "interrupted"; readonly signal: NodeJS.Signals; readonly times: number }
  | {
      readonly event: "summary";
      readonly command: DeployCommand;
      readonly result: DeployResult;
      readonly seconds: number;
      readonly failures: readonly Failure[];
      /** Agents that were to be changed, and were not touched. */
      readonly untouched: readonly string[];
      /** Agents that were stopped, and are not ready. */
      readonly unfinished: readonly string[];
      /** What is still locked after Terraform was interrupted. Undefined if it was not. */
      readonly locks?: readonly string[];
      /** Whether the plans were saved ones, which cannot be applied again. */
      readonly saved?: true;
      /** Of a first deploy that is done: where what it needs is, and which of it has a copy. */
      readonly locations?: readonly Location[];
      /** The log file. Undefined if Terraform's apply was not started. */
      readonly log?: string;
    };

/** An event as a line of JSON. */
export function eventLine(event: DeployEvent, now: number): string {
  const { event: name, ...fields } = event;
  const times = "since" in fields ? { since: new Date(fields.since).toISOString() } : {};
  return JSON.stringify({
    version: EVENTS_VERSION,
    time: new Date(now).toISOString(),
    event: name,
    ...fields,
    ...times,
  });
}
