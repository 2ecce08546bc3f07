import { masked } from "../consul/secret-detection";
import { catalogue, type ProblemCode, type Severity } from "./catalogue";
import { commandsIn } from "./chosen-file";

/** One thing that is wrong, or worth knowing: what, where, and what to do about it. */
export interface Problem {
  /** The code by which docs/errors.md explains it. */
  readonly code: ProblemCode;
  /** An error, a warning or a notice: the catalogue's, by the code. */
  readonly severity: Severity;
  /** Where it was found. */
  readonly location: Location;
  /** What is wrong. Lower case, one clause; it names what was found. */
  readonly message: string;
  /** What to do, as an instruction. */
  readonly hint?: string;
}

/** Where a problem was found. */
export type Location = FileLocation | ProgramLocation | AgentLocation;

/** A location in a file; without a line, the file as a whole. */
export interface FileLocation {
  /** The file's path. */
  readonly file: string;
  /** The line, from 1. */
  readonly line?: number;
  /** The column, from 1. */
  readonly column?: number;
}

/** A construct by its path, or a value of a program's object by its keys. */
export interface ProgramLocation {
  /** The construct's path, or the keys with dots between them. */
  readonly path: string;
}

/** An agent on its host, a host as a whole without an agent, or the cluster as a whole without either. */
export interface AgentLocation {
  /** The host's name. */
  readonly host?: string;
  /** The agent's name. */
  readonly agent?: string;
}

/** A problem with the severity that the catalogue gives its code. */
export const problem = <At extends Location>(fields: {
  readonly code: ProblemCode;
  readonly location: At;
  readonly message: string;
  readonly hint?: string;
}): Problem & { readonly location: At } => ({ ...fields, severity: catalogue[fields.code].severity });

/** `file:line:column`, a construct's path, `agent on host`; empty for the cluster as a whole. */
export function locationText(location: Location): string {
  if ("path" in location) return location.path;
  if ("file" in location) {
    const { file, line, column } = location;
    return line === undefined ? file : `${file}:${line}:${column ?? 1}`;
  }
  const { host, agent } = location;
  if (agent === undefined || host === undefined || agent === host) return agent ?? host ?? "";
  return `${agent} on ${host}`;
}

/**
 * A problem as every command prints it: the location, the severity, the code and the message on one line, the hint
 * below.
 */
export function describeProblem({ code, severity, location, message, hint }: Problem): string {
  const where = locationText(location);
  const first = `${where === "" ? "" : `${where}: `}${severity} ${code}: ${printable(message)}`;
  return hint === undefined ? first : `${first}\n${hintLine(hint)}`;
}

/** A hint on a line of its own, below a message. */
export const hintLine = (hint: string): string => `    hint: ${printable(commandsIn(hint))}`;

/**
 * Messages quote files: what nobody can see is made visible, and secrets are masked. Line breaks and terminal codes,
 * spaces that are none to YAML, and letters of another alphabet that look like Latin ones, from a page or a chat.
 */
const printable = (text: string): string =>
  masked(text)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, escaped)
    .replace(/[\p{L}\p{M}]+/gu, (word) => (/\p{Script=Latin}/u.test(word) ? word.replace(LOOK_ALIKES, escaped) : word));

const LOOK_ALIKES = /[\p{Script=Cyrillic}\p{Script=Greek}]/gu;

const escaped = (sign: string): string => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** A path of keys and positions into the cluster file: `["servers", 1, "ports", "http"]`. */
export type KeyPath = readonly (string | number)[];

/** A rule that a cluster file violates, at a path of keys: a problem that has yet to be located. */
export interface Violation {
  readonly code: ProblemCode;
  readonly path: KeyPath;
  readonly message: string;
  readonly hint: string;
  /** The location is the key itself, not its value. */
  readonly atKey?: boolean;
}

/** Finds where a path of keys leads in a file, or in a program's object. */
export type Locate = (violation: Pick<Violation, "path" | "atKey">) => Location;

export const located = ({ path, atKey, ...violation }: Violation, locate: Locate): Problem =>
  problem({ ...violation, location: locate({ path, atKey }) });

/** A path of keys as text: `services[4].token`. */
export const keyText = (path: KeyPath): string =>
  path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? key : `${text}.${key}`;
  }, "");

/** `cluster.hosts.a.address`, for a cluster that is written in TypeScript and has no file. */
export const locateInProgram: Locate = ({ path }) => ({ path: keyText(["cluster", ...path]) });

/** A cluster that cannot be built. Its message lists every problem, not only the first. */
export class ClusterError extends Error {
  constructor(
    /** Every problem, with its location and a hint. */
    readonly problems: readonly Problem[],
  ) {
    super(problems.map(describeProblem).join("\n"));
    this.name = "ClusterError";
  }
}
