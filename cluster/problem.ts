import { masked } from "./secret-detection";

/**
 * What can be wrong with a cluster file: one code each, so that an operator can look it up in
 * docs/errors.md, and a pipeline can tell them apart.
 *
 * `error` stops synth; `warning` is printed and synth goes on. `consentable` errors and all
 * warnings can be accepted by name in the cluster file (`accept:`).
 */
export const catalogue = {
  // The file itself
  "file-unreadable": { severity: "error", about: "the cluster file cannot be read" },
  "file-too-big": { severity: "error", about: "the cluster file is larger than 4 MiB" },
  "file-empty": { severity: "error", about: "the cluster file has no content" },
  "yaml-syntax": { severity: "error", about: "the cluster file is not valid YAML 1.2" },
  "yaml-aliases": { severity: "error", about: "aliases expand to more than the file could mean" },
  // Its form
  "unknown-key": { severity: "error", about: "a key that means nothing here" },
  "missing-key": { severity: "error", about: "a key that cannot be left out" },
  "invalid-value": { severity: "error", about: "a value of the wrong type or form" },
  // Names and addresses
  "invalid-name": { severity: "error", about: "a name that Consul, DNS or Terraform refuses" },
  "duplicate-name": { severity: "error", about: "two agents of one name" },
  "duplicate-container": { severity: "error", about: "two containers of one name on one daemon" },
  "duplicate-volume": { severity: "error", about: "two agents share a data volume or folder" },
  "colliding-ids": { severity: "error", about: "two things that Terraform would take for one" },
  "duplicate-address": { severity: "error", about: "two hosts, or two agents, of one address" },
  "unknown-host": { severity: "error", about: "an agent on a host that the file does not list" },
  "invalid-address": { severity: "error", about: "an address that no other agent can reach" },
  "mixed-families": { severity: "error", about: "IPv4 and IPv6 addresses in one cluster" },
  "bridge-hosts": { severity: "error", about: "a bridge network across several daemons" },
  "duplicate-daemon": { severity: "error", about: "two hosts on one Docker daemon" },
  // Quorum
  "no-server-left": { severity: "error", about: "every server is to be decommissioned" },
  "two-servers": { severity: "error", consentable: true, about: "two servers: losing either stops the cluster" },
  "even-servers": { severity: "warning", about: "an even number of servers tolerates no more than one fewer" },
  "bootstrap-expect": { severity: "error", about: "a bootstrap_expect that never elects, or elects two leaders" },
  "join-needed": { severity: "error", about: "more than three servers and no `join:`" },
  "unknown-join": { severity: "error", about: "a name to join that is neither in the file nor an address" },
  "join-nobody": {
    severity: "error",
    consentable: true,
    about: "an agent that has only servers to join that leave or are gone",
  },
  "self-join": { severity: "error", about: "an agent that has only itself to join" },
  // What runs on a host
  "port-clash": { severity: "error", about: "two listeners on one port of one host" },
  "owned-setting": { severity: "error", about: "a Consul key or flag that has its own place in the file" },
  "secret-in-config": { severity: "error", about: "a secret where it would end in the state" },
  "shared-state": { severity: "error", about: "several stacks in one state" },
  // Services, checks, and what else is declared
  "unknown-consul-key": { severity: "warning", about: "a key of a service or check that Consul 1.22 does not have" },
  "check-kind": { severity: "error", about: "a check that looks at nothing, or at two things" },
  "program-checks": { severity: "error", about: "a check that runs a program, on an agent that lets none run" },
  "duplicate-service": { severity: "error", about: "two services, or two checks, of one id on an agent" },
  "undeclared-service": { severity: "error", about: "a check of a service that is not declared" },
  "service-name": { severity: "warning", about: "a service's name that DNS cannot serve" },
  "unknown-kind": { severity: "error", about: "a config entry of a kind that Consul does not have" },
  "duplicate-definition": {
    severity: "error",
    about: "two config entries, intentions or prepared queries of one name",
  },
  "reserved-key": { severity: "error", about: "a KV key that is the product's own" },
  "too-much": { severity: "error", about: "more definitions than a deploy can hand over" },
  // Security
  "unknown-policy": { severity: "error", about: "a token's policy that is nowhere written" },
  "script-checks": { severity: "warning", about: "services may run programs, in a secured cluster" },
  "image-by-tag": {
    severity: "warning",
    about: "a secured cluster's file names an image, and does not pin it by its digest",
  },
  // Exposure
  "plain-tcp": { severity: "warning", about: "a Docker daemon without TLS" },
  "open-http": { severity: "warning", about: "the HTTP API is open to the network, without ACLs" },
  "big-group": { severity: "warning", about: "more than 25 hosts in one stack" },
  // What only the state shows
  "line-deleted": {
    severity: "error",
    deploy: "--accept",
    about: "an agent's line is gone from the file, and its container is not",
  },
  "host-moved": { severity: "error", deploy: "--accept", about: "an agent is on another host than its container" },
  "stack-moved": { severity: "error", deploy: "refused", about: "an agent is in another stack than its container" },
  "stack-gone": {
    severity: "error",
    deploy: "--accept",
    about: "a group is gone from the file, and its stack's resources are not",
  },
  "host-gone": {
    severity: "error",
    deploy: "refused",
    about: "a host is gone from the file, and its stack still has resources of it",
  },
} as const satisfies Record<string, CatalogueEntry>;

interface CatalogueEntry {
  readonly severity: "error" | "warning";
  readonly about: string;
  readonly consentable?: true;
  /** Found by `npm run diff` and `npm run deploy`, not by synth; whether it can be accepted there. */
  readonly deploy?: "--accept" | "refused";
}

export type ProblemCode = keyof typeof catalogue;

/** A path of keys and positions into the cluster file: `["servers", 1, "ports", "http"]`. */
export type KeyPath = readonly (string | number)[];

/** One thing wrong, where, and what mends it. */
export interface Problem {
  readonly code: ProblemCode;
  readonly path: KeyPath;
  /** Lower case, one clause, names what was given. */
  readonly message: string;
  /** What to write instead, as an instruction. */
  readonly hint: string;
  /** Point at the key itself, rather than at its value. */
  readonly atKey?: boolean;
}

/** Says where in a file, or in a program's object, a path points. */
export type Locate = (problem: Pick<Problem, "path" | "atKey">) => string;

/** `services[4].token`: a path of keys, in words. */
export const keyText = (path: KeyPath): string =>
  path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : text === "" ? key : `${text}.${key}`),
    "",
  );

/** `cluster.hosts.a.address`, for a cluster that is written in TypeScript and has no file. */
export const keyPathLocation: Locate = ({ path }) => keyText(["cluster", ...path]);

export function describeProblem(problem: Problem, locate: Locate): string {
  const { severity } = catalogue[problem.code];
  return `${locate(problem)}: ${severity} ${problem.code}: ${printable(problem.message)}\n    ${printable(problem.hint)}`;
}

/** What a file says is repeated in messages: its line breaks and terminal codes are shown, not obeyed, and its secrets are not shown. */
const printable = (text: string): string =>
  masked(text).replace(/\p{Cc}/gu, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** A cluster that cannot be built. Its message lists every problem found, not only the first. */
export class ClusterError extends Error {
  constructor(
    readonly problems: readonly Problem[],
    locate: Locate = keyPathLocation,
  ) {
    super(problems.map((problem) => describeProblem(problem, locate)).join("\n"));
    this.name = "ClusterError";
  }
}
