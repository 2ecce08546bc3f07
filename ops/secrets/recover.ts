import type { X509Certificate } from "node:crypto";
import type { AgentDescription, Cluster } from "../../cluster/model";
import { ACL_DESCRIPTION } from "../../consul/contract";
import { AGENT_SECRETS, SECRET_FILES } from "../../consul/secrets";
import { refuseImportedCopy, withOwnFolder } from "./access";
import { isError, pemOf } from "./certificate";
import { casOf, type FoundSecrets, type ListedToken } from "./delivered";
import { SecretsError, type SecretsFolder } from "./folder";
import { createMissing, renderAll, type SecretsChange } from "./initialize";
import { type ProvidedCertificates, providedCa, whyUnusable } from "./issue";
import { addCa } from "./rotate";
import {
  agentFolder,
  CA,
  CA_KEY,
  GOSSIP,
  holdersOf,
  METRICS,
  OPERATOR,
  pairFlaws,
  readAuthority,
  readCas,
  readGossip,
  readTokens,
  required,
  TOKENS,
} from "./sources";
import { agentToken, SECRET_ID, type Tokens, tokensOf, tokensText, withMissing } from "./tokens";
import { versionOf } from "./versions";

/*
 * A lost or damaged secrets folder is read back from what the cluster has of it. Files of the folder that can be used stay
 * as they are. The CA's key and the certificates of people and programs are in no container: a new CA beside the old one
 * issues them, and a rotation then brings it to all agents.
 */

/** What a recovery did. */
export interface Recovery extends SecretsChange {
  /** Files that were read back, one line each. */
  readonly readBack: readonly string[];
  /** What nobody has any more, one line each. */
  readonly lost: readonly string[];
  /** Agents whose containers have other files than the folder, which the next deploy delivers. */
  readonly differing: readonly { readonly agent: string; readonly why: string }[];
  /** Agents whose deployed secrets are lost in part. A deploy takes the folder for an older copy, and has to be allowed. */
  readonly unknown: readonly { readonly agent: string; readonly why: string }[];
}

/** Writes what a folder lacks, from what the cluster has; creates what the cluster does not have either. */
export async function recover(
  cluster: Cluster,
  folder: SecretsFolder,
  found: FoundSecrets,
  given: ProvidedCertificates,
  now = new Date(),
): Promise<Recovery> {
  const ofCa = providedCa(given, now);
  const containers = containersOf(cluster, found);
  if (!containers.some(({ agent }) => agent.role === "server"))
    throw new Error(
      "no server's container has secrets, so nothing can be read back\n  if the servers' containers are permanently lost: docs/backups.md#restoring-onto-a-new-cluster",
    );
  folder.make();
  refuseImportedCopy(cluster, folder, "what is read back");
  const readBack: string[] = [];
  const made: string[] = [];
  // Two steps, so that the folder's history has the version that the agents have now: a deploy then knows that it is newer.
  const { differing, unknown } = await withOwnFolder(cluster, folder, async () => {
    readSourcesBack(cluster, folder, { ...found, containers }, { readBack, made }, now);
    await renderAll(cluster, folder, []);
    return { differing: differences(folder, containers), unknown: unknownVersions(cluster, folder, found) };
  });
  const lost: string[] = [];
  const done = await withOwnFolder(cluster, folder, async () => {
    const cas = required(folder, CA, readCas);
    const absent = holdersOf(cluster).filter((holder) => whyUnusable(folder, holder, cas, now) !== undefined);
    lost.push(...absent.map(({ folder: at }) => `${at}/cert.pem, key.pem: ${lostText(at)}`));
    const isOwn = cas[0]?.subject.includes(`CN=Consul CA of ${cluster.name} `);
    if (!ofCa && absent.length > 0 && isOwn && !canIssue(folder, now)) {
      lost.unshift(`${CA_KEY}: no container has it`);
      made.push(await addCa(cluster, folder, {}, now));
    }
    const created = await createMissing(cluster, folder, { ...given, ofCa }, now);
    return { ...created, made: [...made, ...created.made] };
  });
  return { ...done, readBack, lost, differing, unknown };
}

const lostText = (at: string): string =>
  at === OPERATOR || at === METRICS ? "no container has it" : "its container has no usable one";

function canIssue(folder: SecretsFolder, now: Date): boolean {
  return tried(() => readAuthority(folder, now)) !== undefined;
}

/** An agent's container with its files. */
interface AgentFiles {
  readonly agent: AgentDescription;
  readonly files: ReadonlyMap<string, string>;
}

const containersOf = ({ agents }: Cluster, { delivered }: FoundSecrets): AgentFiles[] =>
  agents.flatMap((agent) => {
    const found = delivered.get(agent.name);
    return found && "files" in found && found.files.size > 0 ? [{ agent, files: found.files }] : [];
  });

function readSourcesBack(
  cluster: Cluster,
  folder: SecretsFolder,
  { containers, tokens }: FoundSecrets & { readonly containers: readonly AgentFiles[] },
  { readBack, made }: { readonly readBack: string[]; readonly made: string[] },
  now: Date,
): void {
  const write = (file: string, content: string, about: string): void => {
    if (folder.write(file, content)) readBack.push(`${file}: ${about}`);
  };
  const trusted = trustedCas(containers);
  const there = tried(() => readCas(folder));
  if (there) refuseOtherCa(folder, there, trusted);
  else if (trusted.length > 0)
    write(
      CA,
      pemOf(trusted),
      trusted.length === 1 ? "the CA's certificate" : `${trusted.length} CAs, the newest first`,
    );
  if (!tried(() => readGossip(folder))) {
    const key = mostFrequent(containers.flatMap(({ files }) => stringIn(files.get(SECRET_FILES.gossip), ["encrypt"])));
    if (key !== undefined) write(GOSSIP, `${key}\n`, "the gossip key");
  }
  const kept = tried(() => readTokens(folder));
  const known = knownTokens(cluster, containers, tokens, kept);
  // Without them nothing could be rendered: tokens that the cluster file names since the last deploy.
  const all = withMissing(cluster, known);
  const names = (of: Tokens, without?: Tokens) => [...of.current.keys()].filter((name) => !without?.current.has(name));
  const added = names(all, known);
  if (names(all, kept).length > 0) write(TOKENS, tokensText(all), `SecretIDs of ${names(known, kept).join(", ")}`);
  if (added.length > 0) made.push(`${TOKENS}: SecretIDs of ${added.join(", ")}, which the cluster does not have`);

  const cas = required(folder, CA, readCas);
  for (const holder of holdersOf(cluster)) {
    const files = containers.find(({ agent }) => agentFolder(agent) === holder.folder)?.files;
    if (!files || whyUnusable(folder, holder, cas, now) === undefined) continue;
    const cert = files.get(SECRET_FILES.certificate);
    const key = files.get(SECRET_FILES.key);
    // One that has expired is reissued, but it is what the agent was given.
    const flaws = pairFlaws({ cert, key }, cas, holder.names, now);
    if (flaws.some((flaw) => isError(flaw) && flaw.code !== "certificate-expired")) continue;
    const at = `${holder.folder}/${SECRET_FILES.certificate}`;
    const changed = [
      folder.write(`${holder.folder}/${SECRET_FILES.key}`, key as string),
      folder.write(at, cert as string),
    ];
    if (changed.includes(true)) readBack.push(`${at}, ${SECRET_FILES.key}: its certificate and its key`);
  }
}

/** @throws for a folder that somebody has regenerated, which no agent knows anything of */
function refuseOtherCa(
  folder: SecretsFolder,
  there: readonly X509Certificate[],
  trusted: readonly X509Certificate[],
): void {
  const fingerprints = trusted.map(({ fingerprint256 }) => fingerprint256);
  if (trusted.length === 0 || there.some(({ fingerprint256 }) => fingerprints.includes(fingerprint256))) return;
  throw new Error(
    `no agent trusts a CA of ${folder.named(CA)}: the folder is another cluster's, or was made after the loss\n  move ${folder.named()} away, and repeat this`,
  );
}

/** What most agents trust, and then what single ones trust besides. */
function trustedCas(containers: readonly AgentFiles[]): X509Certificate[] {
  const texts = containers.flatMap(({ files }) => {
    const cas = casOf(files.get(SECRET_FILES.ca));
    return cas.length > 0 && cas.every(({ ca }) => ca) ? [pemOf(cas)] : [];
  });
  const all = [mostFrequent(texts) ?? "", ...texts].flatMap((text) => casOf(text));
  return [...new Map(all.map((ca) => [ca.fingerprint256, ca])).values()];
}

/** Descriptions of the management token that Consul creates itself (hashicorp/consul, agent/consul/leader.go). */
const MANAGEMENT_DESCRIPTION = "Initial Management Token";
const MANAGEMENT = "management";

/**
 * The tokens that agents have, and that the cluster lists by the names in their descriptions. All agents have one token of
 * a name, unless a deploy was interrupted. Then the newest counts, because it was created for that deploy.
 */
function knownTokens(
  cluster: Cluster,
  containers: readonly AgentFiles[],
  listed: readonly ListedToken[],
  kept: Tokens | undefined,
): Tokens {
  const byName = new Map<string, string[]>();
  for (const { Description, SecretID } of [...listed].sort((a, b) => a.CreateIndex - b.CreateIndex)) {
    const name = Description === MANAGEMENT_DESCRIPTION ? MANAGEMENT : nameIn(Description);
    if (name !== undefined && SECRET_ID.test(SecretID)) byName.set(name, [...(byName.get(name) ?? []), SecretID]);
  }
  const ofAgents = new Map<string, string[]>();
  for (const [name, id] of containers.flatMap(tokensIn)) ofAgents.set(name, [...(ofAgents.get(name) ?? []), id]);
  const current = new Map<string, string>();
  const retiring = new Map<string, readonly string[]>();
  for (const name of new Set([...tokensOf(cluster).keys(), ...byName.keys(), ...(kept?.current.keys() ?? [])])) {
    const ids = byName.get(name) ?? [];
    const delivered = ofAgents.get(name) ?? [];
    const agreed = new Set(delivered).size === 1 ? delivered[0] : undefined;
    const id = kept?.current.get(name) ?? agreed ?? ids.at(-1) ?? mostFrequent(delivered);
    if (id !== undefined && (tokensOf(cluster).has(name) || kept?.current.has(name))) current.set(name, id);
    const old = [...new Set([...(kept?.retiring.get(name) ?? []), ...ids])].filter(
      (known) => known !== current.get(name),
    );
    if (old.length > 0) retiring.set(name, old);
  }
  return { current, retiring };
}

const nameIn = (description: string): string | undefined =>
  description.startsWith(ACL_DESCRIPTION) ? description.slice(ACL_DESCRIPTION.length) : undefined;

/** Names and SecretIDs of the tokens in an agent's files. */
function tokensIn({ agent: { node, role }, files }: AgentFiles): [string, string][] {
  const header = (file: string) =>
    files
      .get(file)
      ?.replace(/^X-Consul-Token: /, "")
      .trim() ?? "";
  const config = (key: string) => stringIn(files.get(SECRET_FILES.tokens), ["acl", "tokens", key])[0] ?? "";
  const tokens: [string, string][] = [
    [agentToken(node), config("agent")],
    ["dns", config("dns")],
    ["health", header(SECRET_FILES.healthToken)],
    [`rollout-${role}`, header(SECRET_FILES.rolloutHeader)],
    [MANAGEMENT, header(SECRET_FILES.managementHeader)],
  ];
  return tokens.filter(([, id]) => SECRET_ID.test(id));
}

/** The text at a path of a JSON file; none if the file is missing or damaged. */
function stringIn(text: string | undefined, path: readonly string[]): string[] {
  try {
    const value = path.reduce(
      (at: unknown, key) => (at as Record<string, unknown> | undefined)?.[key],
      JSON.parse(text ?? "{}"),
    );
    return typeof value === "string" ? [value] : [];
  } catch {
    return [];
  }
}

function mostFrequent(texts: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

/** Agents whose containers do not have the folder's files. */
const differences = (folder: SecretsFolder, containers: readonly AgentFiles[]): Recovery["differing"] =>
  containers.flatMap(({ agent, files }) => {
    const names = AGENT_SECRETS[agent.role].filter(
      (file) => folder.read(`${agentFolder(agent)}/${file}`) !== files.get(file),
    );
    return names.length > 0 ? [{ agent: agent.name, why: `its container has another ${names.join(", ")}` }] : [];
  });

/** Agents of which a file is missing, so that it is not known what they were given. One without a container got nothing. */
const unknownVersions = (
  { agents }: Cluster,
  folder: SecretsFolder,
  { delivered }: FoundSecrets,
): Recovery["unknown"] =>
  agents.flatMap((agent) => {
    const found = delivered.get(agent.name);
    if ((found && "absent" in found) || versionOf(folder, agent) !== undefined) return [];
    return [
      { agent: agent.name, why: "what it was given is lost in part, so a deploy has to be allowed to replace it" },
    ];
  });

/** What can be read; undefined for a file that is missing or cannot be used. */
function tried<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SecretsError) return undefined;
    throw error;
  }
}
