import type { AgentDescription, Cluster } from "../../cluster/model";
import { AGENT_SECRETS } from "../../consul/secrets";
import { sha256 } from "../sha256";
import type { SecretsFolder } from "./folder";
import { agentFolder, HISTORY } from "./sources";

/*
 * A version of an agent's secrets is the hash that a deploy stores in the Terraform state. The folder keeps the former
 * versions of each agent. So a deploy recognizes a folder that is behind: it never had the version that was deployed.
 */

/**
 * Characters of a hash that are kept: a pipeline's secret store limits the size of an export. An older copy is taken for
 * a newer one once in 20,000 times, if one agent alone got something new.
 */
const LENGTH = 4;
/** A rotation has three steps at most, with a deploy after each. */
const KEPT = 3;

/** Former versions by the agents' names, the newest last. The file has a line for each agent. */
type History = ReadonlyMap<string, readonly string[]>;

/** The version of an agent's secrets in the folder; undefined if a file is missing. */
export function versionOf(folder: SecretsFolder, agent: AgentDescription): string | undefined {
  const contents = AGENT_SECRETS[agent.role].flatMap((file) => folder.read(`${agentFolder(agent)}/${file}`) ?? []);
  return contents.length < AGENT_SECRETS[agent.role].length ? undefined : versionOfHashes(contents.map(sha256));
}

/** The value of `secretsHash` (constructs/agent-security.ts). @param hashes SHA-256 of an agent's files, in their order */
export const versionOfHashes = (hashes: readonly string[]): string => sha256(hashes.join(" "));

/** Whether the folder has a version of an agent's secrets, or had it. The history is read once. */
export function knownVersions(folder: SecretsFolder): (agent: AgentDescription, version: string) => boolean {
  const history = historyOf(folder);
  return (agent, version) =>
    versionOf(folder, agent) === version || (history.get(agent.name) ?? []).includes(version.slice(0, LENGTH));
}

/**
 * Runs work that may change agents' secrets, and keeps the versions that were there before. They are written before the
 * work, since a run may be killed in the middle of it, and those that are still the present ones are removed after it.
 */
export async function withHistory<Result>(
  { agents }: Cluster,
  folder: SecretsFolder,
  work: () => Promise<Result>,
): Promise<Result> {
  const history = historyOf(folder);
  const before = new Map(agents.map((agent) => [agent.name, versionOf(folder, agent)]));
  /** Writes the history with former versions of the agents that are meant. */
  const write = (changed: (agent: AgentDescription) => boolean): void => {
    const lines = agents.flatMap((agent) => {
      const versions = [...(history.get(agent.name) ?? [])];
      const former = before.get(agent.name)?.slice(0, LENGTH);
      if (former !== undefined && former !== versions.at(-1) && changed(agent)) versions.push(former);
      return versions.length === 0 ? [] : `${[agent.name, ...versions.slice(-KEPT)].join(" ")}\n`;
    });
    if (lines.length > 0) folder.write(HISTORY, lines.join(""));
    else folder.remove(HISTORY);
  };
  write(() => true);
  try {
    return await work();
  } finally {
    write((agent) => before.get(agent.name) !== versionOf(folder, agent));
  }
}

const historyOf = (folder: SecretsFolder): History =>
  new Map(
    (folder.read(HISTORY) ?? "").split("\n").map((line) => {
      const [name = "", ...versions] = line.split(" ");
      return [name, versions];
    }),
  );
