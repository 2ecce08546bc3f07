import type { X509Certificate } from "node:crypto";
import type { Cluster } from "../../cluster/model";
import { progress } from "../command";
import { caFlaws, dayText, expiry, keyFlaw, replacedCas, timeFlaws } from "./certificate";
import { SecretsError, SecretsFolder } from "./folder";
import { imported } from "./imported";
import { refuseForeign } from "./owner";
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

/** Something about a cluster's secrets that is wrong, or soon will be. */
export interface Finding {
  readonly severity: "error" | "warning";
  /** From the project, or absolute, as the cluster file has it. */
  readonly file: string;
  readonly what: string;
  readonly hint: string;
}

export const findingText = ({ severity, file, what, hint }: Finding): string =>
  `${file}: ${severity}: ${what}\n    ${hint}`;

/** Says what will soon be wrong with a cluster's secrets, and returns what is: a deploy with such would be one that no agent gets through. */
export function refusedSecrets(cluster: Cluster): string[] {
  const findings = checkSecrets(cluster);
  for (const finding of findings.filter(({ severity }) => severity === "warning")) progress(findingText(finding));
  return findings.filter(({ severity }) => severity === "error").map(findingText);
}

const INIT = "npm run secrets -- init";

/** What is wrong with the secrets of a cluster; nothing for a cluster without security. It writes nothing. */
export function checkSecrets(cluster: Cluster, now = new Date()): Finding[] {
  if (!cluster.security) return [];
  const folder = new SecretsFolder(cluster.security.secrets);
  const findings: Finding[] = [];
  const copied = imported(cluster, folder) !== undefined;
  const add = (severity: Finding["severity"], file: string, what: string, hint: string) =>
    void findings.push({
      severity,
      file: folder.named(file),
      what,
      hint: copied && isSource(file) ? whereKept(hint) : hint,
    });
  /** What cannot be read is a finding, and the rest is looked at without it. */
  const tried = <Value>(read: () => Value): Value | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof SecretsError)) throw error;
      const { file, what, hint } = error;
      findings.push({ severity: "error", file, what, hint });
      return undefined;
    }
  };

  if (!tried(() => folder.exists)) {
    if (findings.length === 0)
      add(
        "error",
        "",
        "the folder of the cluster's secrets is not there",
        `${INIT}; in a pipeline: npm run secrets -- import`,
      );
    return findings;
  }
  tried(() => refuseForeign(cluster, folder));
  // Of another's, nothing else is of use.
  if (findings.length > 0) return findings;
  checkPermissions(folder, add);
  const cas = tried(() => required(folder, CA, readCas));
  if (cas) tried(() => checkCas(cas, folder.read(CA_KEY), now, add));
  const gossip = tried(() => required(folder, GOSSIP, readGossip));
  const tokens = tried(() => required(folder, TOKENS, readTokens));
  const wellFormed = tokens && checkTokens(cluster, tokens, add);

  // Of an import, whether the key is where the secrets are kept is not known here.
  const issuedHere = copied || folder.list().includes(CA_KEY);
  for (const holder of holdersOf(cluster)) {
    if (!cas) break;
    tried(() => {
      for (const { severity, file, what } of pairFlaws(readPair(folder, holder), cas, holder.names, now))
        add(severity, `${holder.folder}/${file}`, what, leafMend(severity, holder.name, issuedHere));
    });
  }
  if (cas && gossip && wellFormed) {
    for (const [file, content] of render(cluster, { ca: folder.read(CA) as string, gossip, tokens })) {
      tried(() => {
        const there = folder.read(file);
        if (there !== content)
          add("error", file, there === undefined ? "is missing" : "is not up to date with what it is made of", INIT);
      });
    }
  }
  for (const stray of orphanedFiles(cluster, folder))
    add(
      "warning",
      stray,
      "is nobody's: of nothing in the cluster file, or left by a run that was interrupted",
      `${INIT} removes it`,
    );
  return findings;
}

/** What an import has made is a copy: what is changed in it goes with it. */
const whereKept = (hint: string): string => `where the secrets are kept, and export them anew afterwards: ${hint}`;

function leafMend(severity: Finding["severity"], name: string, issuedHere: boolean): string {
  const command = severity === "error" ? INIT : `npm run secrets -- rotate leaves ${name}`;
  if (!issuedHere) return `have it issued where the CA's key is kept, then: ${command} --leaves FOLDER`;
  return severity === "error" ? `${command} makes it anew` : command;
}

type Add = (severity: Finding["severity"], file: string, what: string, hint: string) => void;

function checkPermissions(folder: SecretsFolder, add: Add): void {
  const open = folder.openToOthers();
  const [first, ...others] = open;
  if (first === undefined) return;
  const more = others.length > 0 ? `, and ${others.length} more there` : "";
  add(
    "error",
    first,
    `others than its owner can read or write it${more}`,
    `chmod -R go= ${folder.named()}/; if others may have read it, rotate what is in it`,
  );
}

function checkCas(cas: readonly X509Certificate[], key: string | undefined, now: Date, add: Add): void {
  const newest = cas[0] as X509Certificate;
  for (const { severity, what } of [...caFlaws(newest), ...timeFlaws(newest, now)])
    add(severity, CA, `the newest CA ${what}`, "npm run secrets -- rotate ca");
  const ofKey = key === undefined ? undefined : keyFlaw(newest, key, NEWEST_CA);
  if (ofKey) add("error", CA_KEY, ofKey, "npm run secrets -- rotate ca");
  for (const ca of replacedCas(cas)) {
    const ended = expiry(ca) < now ? `, which expired on ${dayText(expiry(ca))},` : "";
    add(
      "warning",
      CA,
      `an older CA${ended} is still trusted`,
      "when every agent has a leaf of the newest: npm run secrets -- retire",
    );
  }
}

/** @returns whether files can be rendered of them */
function checkTokens(cluster: Cluster, { current, retiring }: Tokens, add: Add): boolean {
  const needed = tokensOf(cluster);
  const absent = [...needed.keys()].filter((name) => !current.has(name));
  for (const name of absent) add("error", TOKENS, `token ${name} is missing`, INIT);
  for (const name of [...current.keys()].filter((one) => !needed.has(one)))
    add("warning", TOKENS, `nobody needs token ${name} any more`, INIT);

  const all = [...current, ...[...retiring].flatMap(([name, ids]) => ids.map((id): [string, string] => [name, id]))];
  const holders = new Map<string, string>();
  for (const [name, id] of all) {
    const other = holders.get(id);
    if (typeof id !== "string" || !SECRET_ID.test(id))
      add("error", TOKENS, `token ${name} has no SecretID in the form of a UUID`, rotate(name));
    else if (other !== undefined)
      add("error", TOKENS, `tokens ${other} and ${name} have the same SecretID`, rotate(name));
    holders.set(id, name);
  }
  const retired = [...retiring.keys()].sort();
  if (retired.length > 0) {
    add(
      "warning",
      TOKENS,
      `old tokens are still taken: ${retired.join(", ")}`,
      "when every agent and user has the new ones: npm run secrets -- retire",
    );
  }
  return absent.length === 0;
}

const rotate = (name: string): string => `npm run secrets -- rotate tokens ${name}`;
