import type { X509Certificate } from "node:crypto";
import type { ProblemCode } from "../../cluster/catalogue";
import type { Cluster } from "../../cluster/model";
import { describeProblem, problem } from "../../cluster/problem";
import { secretsLeft } from "../project/left-files";
import { importedCopy, refuseForeign } from "./access";
import { caFlaws, dayText, expiry, isError, keyFlaw, RENEW, replacedCas, timeFlaws } from "./certificate";
import { RECOVER, SecretsError, SecretsFolder, type SecretsProblem } from "./folder";
import { orphanedFiles, render } from "./render";
import {
  CA,
  CA_KEY,
  GOSSIP,
  holdersOf,
  isSource,
  NEWEST_CA,
  pairFlaws,
  readCas,
  readGossip,
  readPair,
  readTokens,
  required,
  TOKENS,
} from "./sources";
import { SECRET_ID, type Tokens, tokensOf } from "./tokens";

/** Prints warnings about a cluster's secrets, and returns errors: with these, no agent could join the cluster after a deploy. */
export function refusedSecrets(cluster: Cluster, log: (line: string) => void): string[] {
  const problems = checkSecrets(cluster);
  for (const warning of problems.filter((found) => !isError(found))) log(describeProblem(warning));
  return problems.filter(isError).map(describeProblem);
}

const INIT = "npm run secrets -- init";

/** Checks the secrets of a cluster, without writing anything. A cluster without security has none to check. */
export function checkSecrets(cluster: Cluster, now = new Date()): SecretsProblem[] {
  if (!cluster.security) return [];
  const folder = new SecretsFolder(cluster.security.secrets);
  const problems: SecretsProblem[] = [];
  const copied = importedCopy(cluster, folder) !== undefined;
  const add: Add = (code, file, message, hint) => {
    const fullHint = copied && isSource(file) ? elsewhere(hint) : hint;
    problems.push(problem({ code, location: { file: folder.named(file) }, message, hint: fullHint }));
  };
  /** A file that cannot be read is a problem; the other checks go on without it. */
  const tried = <Value>(read: () => Value): Value | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof SecretsError)) throw error;
      problems.push(error.problem);
      return undefined;
    }
  };

  if (!tried(() => folder.exists)) {
    if (problems.length === 0)
      add(
        "secrets-folder-missing",
        "",
        "the folder of the cluster's secrets does not exist",
        secretsLeft(cluster) ?? `${INIT}; if it was lost: ${RECOVER}; in a pipeline: npm run secrets -- import`,
      );
    return problems;
  }
  tried(() => refuseForeign(cluster, folder));
  // Nothing else about another cluster's folder is useful.
  if (problems.length > 0) return problems;
  checkPermissions(folder, add);
  const cas = tried(() => required(folder, CA, readCas));
  if (cas) tried(() => checkCas(cas, folder.read(CA_KEY), now, add));
  const gossip = tried(() => required(folder, GOSSIP, readGossip));
  const tokens = tried(() => required(folder, TOKENS, readTokens));
  const wellFormed = tokens && checkTokens(cluster, tokens, add);

  // An imported copy does not show whether the key is where the secrets are kept.
  const issuedHere = copied || folder.list().includes(CA_KEY);
  for (const holder of holdersOf(cluster)) {
    if (!cas) break;
    tried(() => {
      for (const { file, ...flaw } of pairFlaws(readPair(folder, holder), cas, holder.names, now)) {
        const hint = certificateHint(isError(flaw), holder.name, issuedHere);
        add(flaw.code, `${holder.folder}/${file}`, flaw.message, hint);
      }
    });
  }
  if (cas && gossip && wellFormed) {
    for (const [file, content] of render(cluster, { ca: folder.read(CA) as string, gossip, tokens })) {
      tried(() => {
        const present = folder.read(file);
        if (present === content) return;
        if (present === undefined) add("secret-missing", file, "is missing", INIT);
        else add("secret-outdated", file, "is out of date: its sources have changed", INIT);
      });
    }
  }
  for (const file of orphanedFiles(cluster, folder))
    add(
      "secret-orphaned",
      file,
      "is orphaned: nothing in the cluster file uses it, or an interrupted run left it",
      `${INIT} removes it`,
    );
  return problems;
}

/** A change in an imported copy would be deleted with it. */
const elsewhere = (hint: string): string => `where the secrets are kept, then export them again: ${hint}`;

function certificateHint(isUnusable: boolean, name: string, issuedHere: boolean): string {
  const command = isUnusable ? INIT : `npm run secrets -- rotate certificates ${name}`;
  if (!issuedHere) return `have it issued where the CA's key is kept, then: ${command} --certificates FOLDER`;
  return isUnusable ? `${command} reissues it` : command;
}

type Add = (code: ProblemCode, file: string, message: string, hint: string) => void;

function checkPermissions(folder: SecretsFolder, add: Add): void {
  const open = folder.openToOthers();
  const [first, ...others] = open;
  if (first === undefined) return;
  const more = others.length > 0 ? `, and ${others.length} more there` : "";
  add(
    "secrets-permissions",
    first,
    `other users can read or write it${more}`,
    `chmod -R go= ${folder.named()}/; if others may have read it, rotate its secrets`,
  );
}

function checkCas(cas: readonly X509Certificate[], key: string | undefined, now: Date, add: Add): void {
  const newest = cas[0] as X509Certificate;
  const hint = "npm run secrets -- rotate ca";
  for (const { code, message } of caFlaws(newest)) add(code, CA, `the newest CA ${message}`, hint);
  const renewal = key === undefined ? `${hint} --ca FILE` : RENEW;
  for (const { code, message } of timeFlaws(newest, now)) add(code, CA, `the newest CA ${message}`, renewal);
  const ofKey = key === undefined ? undefined : keyFlaw(newest, key, NEWEST_CA);
  if (ofKey) add(ofKey.code, CA_KEY, ofKey.message, hint);
  for (const ca of replacedCas(cas)) {
    const ended = expiry(ca) < now ? `, which expired on ${dayText(expiry(ca))},` : "";
    add(
      "old-ca-trusted",
      CA,
      `an older CA${ended} is still trusted`,
      "when every agent has a certificate of the newest: npm run secrets -- revoke",
    );
  }
}

/** @returns whether files can be rendered with these tokens */
function checkTokens(cluster: Cluster, { current, retiring }: Tokens, add: Add): boolean {
  const needed = tokensOf(cluster);
  const absent = [...needed.keys()].filter((name) => !current.has(name));
  for (const name of absent) add("token-missing", TOKENS, `token ${name} is missing`, INIT);
  for (const name of [...current.keys()].filter((known) => !needed.has(known)))
    add("token-unused", TOKENS, `token ${name} is not needed any more`, INIT);

  const all = [...current, ...[...retiring].flatMap(([name, ids]) => ids.map((id): [string, string] => [name, id]))];
  const holders = new Map<string, string>();
  for (const [name, id] of all) {
    const other = holders.get(id);
    if (typeof id !== "string" || !SECRET_ID.test(id))
      add("token-invalid", TOKENS, `token ${name} has no SecretID in the form of a UUID`, rotate(name));
    else if (other !== undefined)
      add("token-duplicate", TOKENS, `tokens ${other} and ${name} have the same SecretID`, rotate(name));
    holders.set(id, name);
  }
  const retired = [...retiring.keys()].sort();
  if (retired.length > 0) {
    add(
      "old-tokens-accepted",
      TOKENS,
      `old tokens are still accepted: ${retired.join(", ")}`,
      "when every agent and user has the new ones: npm run secrets -- revoke",
    );
  }
  return absent.length === 0;
}

const rotate = (name: string): string => `npm run secrets -- rotate tokens ${name}`;
