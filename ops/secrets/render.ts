import type { AgentDescription, Cluster } from "../../cluster/model";
import {
  ACL_SECRETS,
  AGENT_SECRETS,
  BACKUPS_HEADER,
  BACKUPS_TOKEN,
  MANAGEMENT_TOKEN_DIGEST,
  REGISTRATOR,
  REGISTRATOR_SECRET,
} from "../../cluster/resolve/security";
import { sha256 } from "../sha256";
import { type SecretsFolder, UNFINISHED } from "./folder";
import { AGENTS, agentFolder, OPERATOR, type Sources } from "./sources";
import { agentToken, inOrder, retiringIds } from "./tokens";

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** What curl sends with `-H @file`. */
const header = (token: string): string => `X-Consul-Token: ${token}\n`;

/** What goes to an agent beside its certificate, by the name of the file there. */
const RENDERED: Readonly<Record<string, (sources: Sources, agent: AgentDescription) => string>> = {
  "ca.pem": ({ ca }) => ca,
  "gossip.json": ({ gossip }) => json({ encrypt: gossip }),
  "tokens.json": (sources, { node }) => {
    const own = token(sources, agentToken(node));
    return json({ acl: { tokens: { agent: own, dns: token(sources, "dns"), config_file_service_registration: own } } });
  },
  "management.json": (sources) => json({ acl: { tokens: { initial_management: token(sources, "management") } } }),
  [MANAGEMENT_TOKEN_DIGEST]: (sources) => `${sha256(oldest(sources, "management"))}\n`,
  "rollout.header": (sources, { role }) => header(token(sources, `rollout-${role}`)),
  "former.header": (sources, { role }) => header(oldest(sources, `rollout-${role}`)),
  "health.token": (sources) => `${token(sources, "health")}\n`,
  "management.header": (sources) => header(token(sources, "management")),
};

function token({ tokens }: Sources, name: string): string {
  const id = tokens.current.get(name);
  if (id === undefined)
    throw new Error(`tokens.json has no token ${name}\n  npm run secrets -- init, where the secrets are kept`);
  return id;
}

/** While a token is being replaced, the oldest that is still taken: one in between may never have been deployed. Else the same. */
const oldest = (sources: Sources, name: string): string =>
  sources.tokens.retiring.get(name)?.[0] ?? token(sources, name);

/** Every file that is made of others, with its content. */
export function render(cluster: Cluster, sources: Sources): ReadonlyMap<string, string> {
  const ofAgents = cluster.agents.flatMap((agent) =>
    AGENT_SECRETS[agent.role].flatMap((file): [string, string][] => {
      const make = RENDERED[file];
      return make ? [[`${agentFolder(agent)}/${file}`, make(sources, agent)]] : [];
    }),
  );
  // On one line: it is given to a script's standard input.
  const acl = `${JSON.stringify({ current: inOrder(sources.tokens.current), retiring: retiringIds(sources.tokens) })}\n`;
  return new Map([
    ...ofAgents,
    [ACL_SECRETS, acl],
    ...(cluster.registrators.length > 0 ? [[REGISTRATOR_SECRET, `${token(sources, REGISTRATOR)}\n`] as const] : []),
    ...(cluster.backups ? [[BACKUPS_HEADER, header(token(sources, BACKUPS_TOKEN))] as const] : []),
    [`${OPERATOR}/ca.pem`, sources.ca],
    [`${OPERATOR}/token.header`, header(token(sources, "management"))],
  ]);
}

/**
 * What is among the agents' files and belongs to no agent of the cluster, or not to one of its role; the token of what the cluster no longer has beside
 * them; and what a run left that was interrupted.
 */
export function orphanedFiles({ agents, registrators, backups }: Cluster, folder: SecretsFolder): string[] {
  const files = new Map(agents.map(({ name, role }) => [name, AGENT_SECRETS[role]]));
  const unfinished = ["", `${OPERATOR}/`].flatMap((at) =>
    folder.list(at).flatMap((file) => (file.endsWith(UNFINISHED) ? [`${at}${file}`] : [])),
  );
  const ofAgents = folder.list(AGENTS).flatMap((name) => {
    const own = files.get(name);
    return own
      ? folder.list(`${AGENTS}/${name}`).flatMap((file) => (own.includes(file) ? [] : [`${AGENTS}/${name}/${file}`]))
      : [`${AGENTS}/${name}`];
  });
  const beside = [...(registrators.length > 0 ? [] : [REGISTRATOR_SECRET]), ...(backups ? [] : [BACKUPS_HEADER])];
  return [...unfinished, ...folder.list().filter((file) => beside.includes(file)), ...ofAgents];
}

/** Brings the rendered files up to date, and removes strays. @returns names of what changed */
export function bringUpToDate(
  cluster: Cluster,
  folder: SecretsFolder,
  sources: Sources,
): { readonly written: string[]; readonly removed: string[] } {
  const removed = orphanedFiles(cluster, folder);
  for (const stray of removed) folder.remove(stray);
  const written = [...render(cluster, sources)].flatMap(([file, content]) =>
    folder.write(file, content) ? [file] : [],
  );
  return { written, removed };
}
