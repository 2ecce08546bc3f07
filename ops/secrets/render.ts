import type { AgentDescription, Cluster } from "../../cluster/model";
import { BACKUPS_TOKEN, METRICS_TOKEN, REGISTRATOR } from "../../consul/acl-policies";
import { AGENT_SECRETS, SECRET_FILES } from "../../consul/secrets";
import { sha256 } from "../sha256";
import { type SecretsFolder, UNFINISHED } from "./folder";
import { AGENTS, agentFolder, METRICS, OPERATOR, type Sources } from "./sources";
import { agentToken, inOrder, retiringIds } from "./tokens";

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** For curl's `-H @file`. */
const header = (token: string): string => `X-Consul-Token: ${token}\n`;

/** An agent's files beside its certificate, by file name. */
const RENDERED: Readonly<Record<string, (sources: Sources, agent: AgentDescription) => string>> = {
  [SECRET_FILES.ca]: ({ ca }) => ca,
  [SECRET_FILES.gossip]: ({ gossip }) => json({ encrypt: gossip }),
  [SECRET_FILES.tokens]: (sources, { node }) => {
    const own = token(sources, agentToken(node));
    return json({ acl: { tokens: { agent: own, dns: token(sources, "dns"), config_file_service_registration: own } } });
  },
  [SECRET_FILES.management]: (sources) =>
    json({ acl: { tokens: { initial_management: token(sources, "management") } } }),
  [SECRET_FILES.managementDigest]: (sources) => `${sha256(oldest(sources, "management"))}\n`,
  [SECRET_FILES.rolloutHeader]: (sources, { role }) => header(token(sources, `rollout-${role}`)),
  [SECRET_FILES.formerHeader]: (sources, { role }) => header(oldest(sources, `rollout-${role}`)),
  [SECRET_FILES.healthToken]: (sources) => `${token(sources, "health")}\n`,
  [SECRET_FILES.managementHeader]: (sources) => header(token(sources, "management")),
};

function token({ tokens }: Sources, name: string): string {
  const id = tokens.current.get(name);
  if (id === undefined)
    throw new Error(`tokens.json has no token ${name}\n  npm run secrets -- init, where the secrets are kept`);
  return id;
}

/** The oldest SecretID of a token that is still accepted: during a rotation, a newer one may never have been deployed. */
const oldest = (sources: Sources, name: string): string =>
  sources.tokens.retiring.get(name)?.[0] ?? token(sources, name);

/** Every rendered file, with its content. */
export function render(cluster: Cluster, sources: Sources): ReadonlyMap<string, string> {
  const ofAgents = cluster.agents.flatMap((agent) =>
    AGENT_SECRETS[agent.role].flatMap((file): [string, string][] => {
      const make = RENDERED[file];
      return make ? [[`${agentFolder(agent)}/${file}`, make(sources, agent)]] : [];
    }),
  );
  // On one line, because a script reads it as one line of its standard input.
  const acl = `${JSON.stringify({ current: inOrder(sources.tokens.current), retiring: retiringIds(sources.tokens) })}\n`;
  return new Map([
    ...ofAgents,
    [SECRET_FILES.acl, acl],
    ...(cluster.registrators.length > 0
      ? [[SECRET_FILES.registratorToken, `${token(sources, REGISTRATOR)}\n`] as const]
      : []),
    ...(cluster.backups ? [[SECRET_FILES.backupsHeader, header(token(sources, BACKUPS_TOKEN))] as const] : []),
    ...(cluster.metrics
      ? [
          [`${METRICS}/ca.pem`, sources.ca] as const,
          [`${METRICS}/token`, `${token(sources, METRICS_TOKEN)}\n`] as const,
        ]
      : []),
    [`${OPERATOR}/ca.pem`, sources.ca],
    [`${OPERATOR}/token.header`, header(token(sources, "management"))],
  ]);
}

/**
 * Files that nothing in the cluster file uses: of agents that it no longer lists, of another role, of a feature that is off; and files that an
 * interrupted run left.
 */
export function orphanedFiles({ agents, registrators, backups, metrics }: Cluster, folder: SecretsFolder): string[] {
  const files = new Map(agents.map(({ name, role }) => [name, AGENT_SECRETS[role]]));
  const unfinished = ["", `${OPERATOR}/`, `${METRICS}/`].flatMap((at) =>
    folder.list(at).flatMap((file) => (file.endsWith(UNFINISHED) ? [`${at}${file}`] : [])),
  );
  const ofAgents = folder.list(AGENTS).flatMap((name) => {
    const own = files.get(name);
    return own
      ? folder.list(`${AGENTS}/${name}`).flatMap((file) => (own.includes(file) ? [] : [`${AGENTS}/${name}/${file}`]))
      : [`${AGENTS}/${name}`];
  });
  const beside: readonly string[] = [
    ...(registrators.length > 0 ? [] : [SECRET_FILES.registratorToken]),
    ...(backups ? [] : [SECRET_FILES.backupsHeader]),
    ...(metrics ? [] : [METRICS]),
  ];
  return [...unfinished, ...folder.list().filter((file) => beside.includes(file)), ...ofAgents];
}

/** Writes the rendered files, and deletes orphaned ones. @returns the names of the files that changed */
export function updateRendered(
  cluster: Cluster,
  folder: SecretsFolder,
  sources: Sources,
): { readonly written: string[]; readonly removed: string[] } {
  const removed = orphanedFiles(cluster, folder);
  for (const file of removed) folder.remove(file);
  const written = [...render(cluster, sources)].flatMap(([file, content]) =>
    folder.write(file, content) ? [file] : [],
  );
  return { written, removed };
}
