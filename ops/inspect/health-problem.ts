import { type AgentLocation, type Problem, problem } from "../../cluster/problem";
import type { LockEntry } from "./locks";

/** What `npm run doctor -- --fix` can do about a problem. */
export type FixAction =
  | "restore-terraform-state"
  | "unpause"
  | "start"
  | "restart-policy"
  | "untaint"
  | "deliver-secrets"
  | "release-lock"
  | "remove"
  | "recreate";

/** What each fix does, for the hint, where the action's name does not say it. */
const EFFECTS: Partial<Record<FixAction, string>> = {
  "deliver-secrets": "delivers its secrets again, without a restart",
  remove: "removes it, and the next deploy creates it again",
  recreate: "runs its pre-stop check, stops it and recreates it; its data stays",
};

/** A problem of a running cluster. */
export interface HealthProblem extends Problem {
  readonly location: AgentLocation;
  /** Undefined when `--fix` cannot or must not fix the problem. */
  readonly fix?: FixAction;
  /** The message without details, where there is room for a few words. */
  readonly summary?: string;
  /** The lock or rollout slot, of a stale one. */
  readonly lock?: LockEntry;
  /** The name of a container that is no agent's, which the fix removes. */
  readonly container?: string;
}

export interface HealthProblemProps extends AgentLocation {
  readonly code: Problem["code"];
  readonly message: string;
  /** What an operator can do by hand. */
  readonly hint?: string;
  readonly fix?: FixAction;
  readonly summary?: string;
  readonly lock?: LockEntry;
  readonly container?: string;
}

export function healthProblem({ host, agent, code, message, hint, fix, ...more }: HealthProblemProps): HealthProblem {
  return { ...problem({ code, location: { host, agent }, message, hint: fullHint(hint, fix) }), fix, ...more };
}

function fullHint(hint: string | undefined, fix: FixAction | undefined): string | undefined {
  if (fix === undefined) return hint;
  const effect = EFFECTS[fix];
  const command = `npm run doctor -- --fix${effect === undefined ? "" : ` ${effect}`}`;
  return hint === undefined ? command : `${command}; by hand: ${hint}`;
}

/** The problem for `--json`: without the lock, which only this process needs. */
export const publicProblem = ({ lock: _, ...rest }: HealthProblem): HealthProblem => rest;
