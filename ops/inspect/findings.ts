import type { AgentDescription } from "../../cluster/model";
import { PATHS } from "../../consul/contract";
import { sharesData } from "../adoption/unmanaged";
import type { Container } from "../docker/container";
import { sha256 } from "../sha256";
import type { StateResource } from "../terraform/state";
import { certificateFlaw } from "./certificate";
import type { DeliveredSecrets } from "./delivered-secrets";
import type { AgentProbe } from "./probe";

/** What `--fix` can do about a finding. */
export type FixAction =
  | "start"
  | "unpause"
  | "untaint"
  | "restart-policy"
  | "replace"
  | "give-secrets"
  | "give-lock-back"
  | "put-state-back";

/** Something that is wrong, where, and what mends it. */
export interface Finding {
  readonly host: string;
  /** Undefined for what is wrong with the host as a whole. */
  readonly agent?: string;
  readonly what: string;
  readonly hint: string;
  /** What `--fix` does; undefined for what it must not or cannot do. */
  readonly action?: FixAction;
}

/** `web1 on host7`, or one name for both. */
export const whereText = ({ host, agent }: { readonly host?: string; readonly agent?: string }): string =>
  agent === undefined || agent === host || host === undefined ? (agent ?? host ?? "") : `${agent} on ${host}`;

/** What was found of an agent on its host. */
export interface InspectedAgent {
  readonly agent: AgentDescription;
  /** As the state has it. */
  readonly resource?: StateResource;
  /** The state could not be read: nothing is compared with it. */
  readonly stateUnread?: true;
  readonly container?: Container;
  /** The secrets that it is to have; undefined where it has none, or they are not here. */
  readonly secrets?: DeliveredSecrets;
  /** Its container's image, by the name under which it was pulled, where the state knows that. */
  readonly image?: string;
  /** What is to be seen of it, or why there is nothing. */
  readonly view: AgentProbe | string;
}

/** The mark of a container of this product, whatever its name and labels are: see constructs/consul-agent.ts. */
export const isOurs = ({ Config }: Container): boolean => Config.Healthcheck?.Test?.at(-1) === PATHS.health;

/** Whether an agent is what its gate asks for; the reason why not. */
export function whyNotReady({ agent, view }: InspectedAgent): string | undefined {
  if (typeof view === "string") return `its API does not answer: ${view}`;
  if (view.leader === "") return `it knows no leader${view.whyNoLeader ? `: ${view.whyNoLeader}` : ""}`;
  if (agent.role === "client") return undefined;
  if (!view.servers) return "it does not say who is a voter";
  return view.servers.some(({ id, voter }) => voter && id === view.id) ? undefined : "it is no voter";
}

/** Everything that is wrong with one agent, by what was found of it. */
export function agentFindings(examined: InspectedAgent): Finding[] {
  const { agent, resource, stateUnread, container, view } = examined;
  const found = (what: string, hint: string, action?: FixAction): Finding => ({
    host: agent.host.name,
    agent: agent.name,
    what,
    hint,
    action,
  });
  if (!container) {
    const remembered = resource
      ? `the state has its container, and its host has not`
      : `it has no container ${agent.container}`;
    return [found(remembered, "npm run deploy")];
  }
  if (!stateUnread && resource?.attributes.id !== container.Id) return [stranger(found, examined, container)];
  const { Status } = container.State;
  if (Status === "restarting")
    return [
      found(
        `it restarts again and again (exit code ${container.State.ExitCode})`,
        `docker logs ${agent.container}; mend the file; npm run deploy`,
      ),
    ];
  const policy = resource && restartPolicy(resource, container);
  const more = policy ? [found(policy, "npm run deploy, which sets it back", "restart-policy")] : [];
  const running = Status === "running";
  const out = running ? whyNotReady(examined) : `is ${Status}`;
  // One whose making was interrupted may lack a part.
  if (resource?.tainted && out)
    return [found(`its container is tainted, and ${out}`, "npm run deploy, which makes it anew"), ...more];
  if (Status === "paused")
    return [found("its container is paused", `docker unpause ${agent.container}`, "unpause"), ...more];
  if (!running) return [found(`its container is ${Status}`, `docker start ${agent.container}`, "start"), ...more];

  if (resource?.tainted)
    more.push(
      found(
        "its container is tainted, and works: the next deploy would destroy it unasked",
        "terraform untaint",
        "untaint",
      ),
    );
  const changed = resource && typeof view !== "string" ? changedFiles(resource, view.files) : [];
  if (changed.length > 0)
    more.push(found(`changed by hand in its container: ${changed.join(", ")}`, REPLACE, "replace"));
  const { secrets } = examined;
  const others =
    secrets && typeof view !== "string"
      ? [...secrets.hashes].filter(([file, hash]) => view.files.get(file) !== hash).map(([file]) => file)
      : [];
  // Tokens are made before agents are given them, which only a deploy does.
  if (others.length > 0 && !secrets?.deployed)
    more.push(found(`its secrets have changed since the last deploy: ${others.join(", ")}`, "npm run deploy"));
  else if (others.length > 0)
    more.push(found(`it has other secrets than it was given: ${others.join(", ")}`, GIVE, "give-secrets"));
  if (out) more.push(found(`it runs, and is not in: ${out}`, `docker logs ${agent.container}`));
  else if (typeof view !== "string" && !isMember(agent, view))
    more.push(found("it is no living member of its own cluster", `docker logs ${agent.container}`));
  const flaw = certificateFlaw(examined);
  if (flaw?.severity === "error") more.push(found(flaw.what, flaw.hint));
  return more;
}

/** A container under the agent's name that no state knows. It is only removed where its data outlives it. */
function stranger(
  found: (what: string, hint: string, action?: FixAction) => Finding,
  { agent, resource }: InspectedAgent,
  container: Container,
): Finding {
  const named = `its container ${agent.container} is not in the state`;
  if (isOurs(container) && !resource)
    return found(`${named}: a deploy was killed before it was written down`, REPLACE, "replace");
  if (!sharesData(container, agent))
    return found(`${named}, and its data is not in ${agent.data}`, "if it is the agent: npm run adopt");
  const other = resource ? differences(resource, container) : [];
  return found(
    `${named}: it was made by hand${other.length > 0 ? `, with another ${other.join(", ")}` : ""}`,
    REPLACE,
    "replace",
  );
}

/** In what a container is not like the one that was deployed; never values, for an environment may hold secrets. */
export function differences({ attributes }: StateResource, { Config, HostConfig }: Container): string[] {
  const same = (one: unknown, other: unknown) => JSON.stringify(one ?? []) === JSON.stringify(other ?? []);
  const labels = (attributes.labels ?? []) as readonly { label: string; value: string }[];
  const env = (attributes.env ?? []) as readonly string[];
  return [
    ...(same(attributes.command, Config.Cmd) ? [] : ["command"]),
    ...(same(attributes.entrypoint, Config.Entrypoint) ? [] : ["entrypoint"]),
    ...(attributes.image === Config.Image ? [] : ["image"]),
    ...labels.filter(({ label, value }) => Config.Labels?.[label] !== value).map(({ label }) => `label ${label}`),
    ...env.filter((entry) => !Config.Env?.includes(entry)).map((entry) => `variable ${entry.split("=")[0]}`),
    ...(attributes.network_mode === HostConfig.NetworkMode ? [] : ["network"]),
  ];
}

const GIVE = "npm run doctor -- --fix gives it its secrets again; nothing is restarted";
const REPLACE = "npm run doctor -- --fix asks, stops it and makes it anew; its data stays";

const isMember = ({ node }: AgentDescription, { members }: AgentProbe): boolean =>
  members.some(({ name, status }) => name === node && status === 1);

/** Docker can change this one while a container runs, and the provider only says so in a plan. */
function restartPolicy({ attributes }: StateResource, { HostConfig }: Container): string | undefined {
  const { Name } = HostConfig.RestartPolicy;
  return Name === attributes.restart
    ? undefined
    : `its restart policy is ${Name}, and was ${String(attributes.restart)}`;
}

/** Uploaded files that are not as the last deploy left them: the provider never looks again. */
export function changedFiles({ attributes }: StateResource, files: ReadonlyMap<string, string>): string[] {
  const uploads = (attributes.upload ?? []) as readonly {
    file: string;
    content?: string;
    content_base64?: string;
    source_hash?: string;
  }[];
  return uploads.flatMap(({ file, content, content_base64: base64, source_hash: hash }) => {
    const expected = content ? sha256(content) : base64 ? sha256(Buffer.from(base64, "base64")) : hash;
    if (!expected || files.get(file) === expected) return [];
    return [files.has(file) ? file : `${file} (gone)`];
  });
}

/** The cluster's lock, or one of its clients': see rollout/agent/lock.sh. */
export interface LockEntry {
  readonly key: string;
  /** The agent that is being replaced. */
  readonly owner: string;
  readonly index: number;
}

/**
 * Why a lock is nobody's any more; undefined while it may be somebody's. An owner that is in may be one that is about to be stopped: whoever uses this
 * looks twice, and sees to it that no deploy runs.
 */
export function whyStale(
  { owner }: LockEntry,
  examined: readonly InspectedAgent[],
  agents: readonly AgentDescription[],
): string | undefined {
  const holder = examined.find(({ agent }) => agent.name === owner);
  // One that leaves, or whose host does not answer, is not examined, and a deploy has yet to be done with it.
  if (!holder) return agents.some(({ name }) => name === owner) ? undefined : `the file has no ${owner}`;
  return holder.container?.State.Running && whyNotReady(holder) === undefined ? `${owner} is in` : undefined;
}
