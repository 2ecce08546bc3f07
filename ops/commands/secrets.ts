import { selectClusterFile } from "../../cluster/file/load";
import type { Cluster } from "../../cluster/model";
import { ClusterError, describeProblem, type Problem } from "../../cluster/problem";
import { chosenCluster } from "../chosen-cluster";
import { checkoutWarnings, locationsOf } from "../project/locations";
import { refuseOtherClusters } from "../secrets/access";
import * as bundle from "../secrets/bundle";
import { isError } from "../secrets/certificate";
import { checkSecrets } from "../secrets/check";
import { foundSecrets, notTrusting } from "../secrets/delivered";
import { renewDue } from "../secrets/due";
import { SecretsFolder } from "../secrets/folder";
import { initialize, type SecretsChange } from "../secrets/initialize";
import { GOSSIP_NAME, inventory, secretNamed } from "../secrets/inventory";
import { neededText } from "../secrets/issue";
import * as recovery from "../secrets/recover";
import * as rotation from "../secrets/rotate";
import { select } from "../select";
import { count } from "../terminal/format";
import type { Terminal } from "../terminal/terminal";

interface SecretsOptions {
  readonly json?: boolean;
}

/** Certificates that were issued elsewhere, and the CA that issues or issued them. */
interface ProvidedOptions extends SecretsOptions {
  readonly ca?: string;
  readonly caKey?: string;
  readonly certificates?: string;
}

interface NamesOptions extends SecretsOptions {
  readonly names: readonly string[];
}

interface Secrets {
  readonly file: string;
  readonly cluster: Cluster;
  readonly folder: SecretsFolder;
}

/** @throws for a cluster without security */
function chosenSecrets(): Secrets {
  const { file, cluster } = chosenCluster();
  if (!cluster.security) throw new Error(`${file} has \`security: off\`: the cluster has no secrets`);
  return { file, cluster, folder: new SecretsFolder(cluster.security.secrets) };
}

const DEPLOY = "next: npm run deploy";
const NEXT = {
  ca: `${DEPLOY}, after which agents trust both CAs; npm run secrets -- rotate certificates, and deploy; npm run secrets -- revoke, and deploy`,
  due: `${DEPLOY}; then repeat this, and deploy, until no certificate of an older CA is in use; npm run secrets -- revoke, and deploy`,
  certificates: `${DEPLOY}. All agents must trust the CA by then: after \`rotate ca\`, deploy before this`,
  tokens: `${DEPLOY}; give the new tokens to their users (show NAME); npm run secrets -- revoke, and deploy, which replaces the servers one at a time if management is among the tokens`,
};

export async function init({ json, ...provided }: ProvidedOptions, terminal: Terminal): Promise<number> {
  const secrets = chosenSecrets();
  const isNew = !secrets.folder.exists;
  const done = await initialize(secrets.cluster, secrets.folder, given(provided));
  const errors = checkSecrets(secrets.cluster).filter(isError);
  const exitCode = report(
    secrets,
    done,
    { json, command: "init", next: errors.length === 0 ? DEPLOY : undefined },
    terminal,
  );
  if (isNew) for (const warning of inCheckout(secrets.cluster)) terminal.log(describeProblem(warning));
  // Certificates that have to be issued elsewhere are reported already.
  if (exitCode !== 0) return exitCode;
  for (const problem of errors) terminal.log(describeProblem(problem));
  return errors.length > 0 ? 1 : 0;
}

/** Another folder is still easy to choose. */
const inCheckout = (cluster: Cluster): Problem[] =>
  checkoutWarnings(
    cluster,
    locationsOf(cluster, false).filter(({ content }) => content === "secrets"),
  );

const given = ({ ca, caKey, certificates }: ProvidedOptions) => ({ ca, caKey, certificates });

export async function recover(
  { json, without, ...provided }: Omit<ProvidedOptions, "certificates"> & { readonly without: readonly string[] },
  terminal: Terminal,
): Promise<number> {
  const secrets = chosenSecrets();
  const { cluster, folder } = secrets;
  const hosts = cluster.hosts.map(({ name }) => name);
  const skipped = without.length > 0 ? select("host", hosts, without) : [];
  const agents = cluster.agents.filter(({ host }) => !skipped.includes(host.name));
  terminal.log(`reading the secrets of ${count(agents.length, "container")}`);
  const found = await foundSecrets(agents);
  const done = await recovery.recover(cluster, folder, found, given(provided));
  const { readBack, lost, differing, unknown } = done;
  const allowed = unknown.length > 0 ? `${DEPLOY} -- --allow secrets-stale` : DEPLOY;
  const next = trustsOldCa(cluster) ? NEXT.ca.replace(DEPLOY, allowed) : allowed;
  const details = { about: { readBack, lost }, agents: { differing, unknown } };
  const exitCode = report(secrets, done, { json, command: "init", next, ...details }, terminal);
  if (exitCode !== 0) return exitCode;
  const errors = checkSecrets(cluster).filter(isError);
  for (const problem of errors) terminal.log(describeProblem(problem));
  return errors.length > 0 ? 1 : 0;
}

export async function check(
  { json, detailedExitcode }: SecretsOptions & { readonly detailedExitcode?: boolean },
  terminal: Terminal,
): Promise<number> {
  const { file, cluster, folder } = chosenSecrets();
  const problems = checkSecrets(cluster);
  if (json) terminal.printJson({ file, folder: folder.named(), problems });
  else if (problems.length === 0) terminal.print(`${folder.named()}: nothing is wrong`);
  else terminal.print(problems.map(describeProblem).join("\n"));
  if (problems.some(isError)) return 1;
  return detailedExitcode && problems.length > 0 ? 2 : 0;
}

/** Lists the secrets, or prints the one of a name. */
export async function show({ json, name }: SecretsOptions & { name?: string }, terminal: Terminal): Promise<number> {
  const secrets = chosenSecrets();
  secrets.folder.refuseAbsent();
  refuseOtherClusters(secrets.cluster, secrets.folder);
  if (name === undefined) list(secrets, json, terminal);
  else {
    const secret = secretNamed(secrets.folder, name);
    terminal.print(json ? JSON.stringify({ name, secret }) : secret);
  }
  return 0;
}

function list({ file, cluster, folder }: Secrets, json: boolean | undefined, terminal: Terminal): void {
  const { certificates, caKey, gossip, tokens } = inventory(cluster, folder);
  if (json) {
    terminal.printJson({ file, folder: folder.named(), certificates, caKey, gossip, tokens });
    return;
  }
  for (const { file: path, for: purpose, until, fingerprint } of certificates)
    terminal.print(`${path}  until ${until}  ${purpose}\n  ${fingerprint}`);
  terminal.print(
    `the CA's key: ${caKey ? "here" : "elsewhere"}; the gossip key: ${gossip ? "here" : "missing"} (show ${GOSSIP_NAME})`,
  );
  for (const { name, for: purpose, retiring } of tokens)
    terminal.print(`token ${name}: ${purpose}${retiring > 0 ? `; ${retiring} to be revoked` : ""}`);
}

export async function rotateGossip({ json }: SecretsOptions, terminal: Terminal): Promise<number> {
  const secrets = chosenSecrets();
  return report(
    secrets,
    await rotation.rotateGossip(secrets.cluster, secrets.folder),
    { json, next: DEPLOY },
    terminal,
  );
}

export async function rotateCa({ json, ...provided }: ProvidedOptions, terminal: Terminal): Promise<number> {
  const secrets = chosenSecrets();
  const done = await rotation.rotateCa(secrets.cluster, secrets.folder, given(provided));
  return report(secrets, done, { json, next: NEXT.ca }, terminal);
}

export async function rotateCertificates(options: ProvidedOptions & NamesOptions, terminal: Terminal): Promise<number> {
  const { json, names, ...provided } = options;
  const secrets = chosenSecrets();
  const done = await rotation.rotateCertificates(secrets.cluster, secrets.folder, names, given(provided));
  const command = ["rotate certificates", ...names].join(" ");
  return report(secrets, done, { json, command, next: NEXT.certificates }, terminal);
}

export async function rotateTokens({ json, names }: NamesOptions, terminal: Terminal): Promise<number> {
  const secrets = chosenSecrets();
  const done = await rotation.rotateTokens(secrets.cluster, secrets.folder, names);
  return report(secrets, done, { json, next: NEXT.tokens }, terminal);
}

export async function renew({ json, due }: SecretsOptions & { due: number }, terminal: Terminal): Promise<number> {
  const secrets = chosenSecrets();
  const { cluster, folder } = secrets;
  const done = await renewDue(cluster, folder, { period: due, notTrusting: (ca) => notTrusting(cluster, ca) });
  const { waiting } = done;
  const next = trustsOldCa(cluster) ? NEXT.due : DEPLOY;
  const command = ["rotate certificates", ...done.needed.map(({ name }) => name)].join(" ");
  return report(secrets, done, { json, command, next, agents: { waiting } }, terminal);
}

export async function revoke({ json }: SecretsOptions, terminal: Terminal): Promise<number> {
  const secrets = chosenSecrets();
  return report(secrets, await rotation.revoke(secrets.cluster, secrets.folder), { json, next: DEPLOY }, terminal);
}

/** Whether the rotation of a CA is not complete. */
const trustsOldCa = (cluster: Cluster): boolean => checkSecrets(cluster).some(({ code }) => code === "old-ca-trusted");

interface Report extends SecretsOptions {
  /** The command to repeat when certificates that were issued elsewhere are there. */
  readonly command?: string;
  /** What to do next; undefined if something has to be fixed before. */
  readonly next?: string;
  /** Further lists of lines, and of agents, by the word in front of their lines. */
  readonly about?: Readonly<Record<string, readonly string[]>>;
  readonly agents?: Readonly<Record<string, readonly AboutAgent[]>>;
}

/** An agent in a result, and the reason. */
interface AboutAgent {
  readonly agent: string;
  readonly why: string;
}

/** Prints what was done and what comes next. @returns exit code 1 if certificates have to be issued elsewhere first */
function report(
  { file, folder }: Secrets,
  done: SecretsChange,
  { json, command = "", next, about = {}, agents = {} }: Report,
  terminal: Terminal,
): number {
  const { made, removed, needed } = done;
  const lines = {
    ...about,
    created: made,
    removed,
    ...Object.fromEntries(
      Object.entries(agents).map(([word, list]) => [word, list.map(({ agent, why }) => `${agent}: ${why}`)]),
    ),
  };
  const changes = Object.values(lines).flat().length;
  if (json) terminal.printJson({ file, folder: folder.named(), ...about, made, removed, needed, ...agents });
  else {
    terminal.print(`cluster file: ${file}`);
    for (const [word, list] of Object.entries(lines))
      for (const line of list) terminal.print(`${wordText(word)}  ${line}`);
    if (changes + needed.length === 0) terminal.print(`${folder.named()}: nothing to do`);
  }
  if (needed.length > 0) {
    terminal.log(neededText(needed, command));
    return 1;
  }
  if (next !== undefined && (changes > 0 || command === "init")) terminal.log(next);
  return 0;
}

/** `readBack` as `read back`. */
const wordText = (word: string): string => word.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

export async function exportLine(
  { withoutCaKey = false }: { withoutCaKey?: boolean },
  terminal: Terminal,
): Promise<number> {
  const { cluster, folder } = chosenSecrets();
  const errors = checkSecrets(cluster).filter(isError);
  if (errors.length > 0)
    throw new Error(`secrets with errors are not exported\n${errors.map(describeProblem).join("\n")}`);
  terminal.print(bundle.pack(cluster, folder, !withoutCaKey));
  return 0;
}

export async function importSecrets({ json, from }: SecretsOptions & { from?: string }, terminal: Terminal) {
  const { file, cluster, folder } = chosenSecrets();
  const target = await bundle.importSecrets(cluster, folder, { from, text: process.env.CONSUL_SECRETS });
  if (json) terminal.printJson({ file, folder: folder.named(), target });
  else terminal.print(`${folder.named()} is a link to ${target}`);
  terminal.log("next: npm run deploy; when it has ended, npm run secrets -- clean removes both");
  return 0;
}

/** Removes what an import created, even if the cluster file has errors. */
export async function clean({ json }: SecretsOptions, terminal: Terminal): Promise<number> {
  const { file, folder, cleaned } = cleanedImport();
  if (json) terminal.printJson({ file, folder: folder.named(), cleaned });
  else if (cleaned) terminal.print(`removed  ${folder.named()}, and the folder that it was a link to`);
  else terminal.print(`${folder.named()}: not created by an import, so it stays`);
  return 0;
}

function cleanedImport(): { file: string; folder: SecretsFolder; cleaned: boolean } {
  try {
    const { file, cluster, folder } = chosenSecrets();
    return { file, folder, cleaned: bundle.clean(cluster, folder) };
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    const file = selectClusterFile();
    const location = bundle.locationIn(file);
    if (location && bundle.clean(location.cluster, location.folder))
      return { file, folder: location.folder, cleaned: true };
    throw new Error(`${BY_HAND}\n${error.message}`);
  }
}

const BY_HAND = `what an import created is not known while the cluster file has errors
  fix the file, and repeat this; or remove the link by hand, which is secrets/<cluster> in the project or its private_folder unless the file names another folder, and the folder that it links to`;
