import { parseArgs } from "node:util";
import { selectClusterFile } from "../../cluster/file/load";
import type { Cluster } from "../../cluster/model";
import { ClusterError } from "../../cluster/problem";
import { didYouMean } from "../../cluster/suggest";
import { chosenCluster, command, progress } from "../command";
import { refuseOtherClusters } from "../secrets/access";
import { clean, importSecrets, locationIn, pack } from "../secrets/bundle";
import { checkSecrets, findingText } from "../secrets/check";
import { SecretsFolder } from "../secrets/folder";
import { initialize, type SecretsChange } from "../secrets/initialize";
import { GOSSIP_NAME, inventory, secretNamed } from "../secrets/inventory";
import { neededText } from "../secrets/issue";
import { revoke, rotateCa, rotateCertificates, rotateGossip, rotateTokens } from "../secrets/rotate";

const USAGE = `usage: npm run secrets -- VERB [OPTIONS]
  init                      make what the cluster lacks, and leave the rest as it is
    --ca FILE               a CA of your own; with --ca-key FILE, certificates are issued by it here
    --leaves FOLDER         certificates that were issued elsewhere: <agent>.pem and <agent>-key.pem, and operator
  check                     what is wrong, or soon will be
  show [NAME]               what there is; with a token's name, or gossip: that secret
  rotate gossip             a new gossip key
  rotate ca                 a new CA beside the old; --ca and --ca-key as above
  rotate leaves [AGENT...]  new certificates; --leaves as above
  rotate tokens [NAME...]   new tokens beside the old
  retire                    drop what rotations replaced
  export                    all of it as one line, for a pipeline's secret store; --without-ca-key
  import                    take it from CONSUL_SECRETS, or --from FOLDER, into a temporary folder
  forget                    remove what an import has made
  --json                    the result, for programs; export has none, for its line is for programs`;

const OPTIONS = {
  json: { type: "boolean", default: false },
  ca: { type: "string" },
  "ca-key": { type: "string" },
  leaves: { type: "string" },
  from: { type: "string" },
  "without-ca-key": { type: "boolean", default: false },
} as const;
type OptionName = keyof typeof OPTIONS;
type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

interface Call {
  readonly file: string;
  readonly cluster: Cluster;
  readonly folder: SecretsFolder;
  readonly names: readonly string[];
  readonly values: Values;
}

interface Verb {
  readonly options: readonly OptionName[];
  /** How many names it takes at most. */
  readonly names: number;
  run(call: Call): Promise<number>;
  /** What it does instead when the cluster file has an error. */
  despite?(error: ClusterError, file: string, values: Values): number;
}

const given = ({ values }: Call) => ({ ca: values.ca, caKey: values["ca-key"], certificates: values.leaves });

/**
 * Says what was done, and what comes next; status 1 when something has to be issued elsewhere first.
 * @param next undefined when something else has to be mended before
 */
function report(
  { file, folder, values }: Call,
  { made, removed, needed }: SecretsChange,
  again: string,
  next?: string,
): number {
  if (values.json) console.log(JSON.stringify({ file, folder: folder.named(), made, removed, needed }, null, 2));
  else {
    console.log(`cluster file: ${file}`);
    for (const line of made) console.log(`made     ${line}`);
    for (const line of removed) console.log(`removed  ${line}`);
    if (made.length + removed.length + needed.length === 0) console.log(`${folder.named()}: nothing to do`);
  }
  if (needed.length > 0) progress(neededText(needed, again));
  else if (next !== undefined && (made.length + removed.length > 0 || again === "init")) progress(next);
  return needed.length > 0 ? 1 : 0;
}

const DEPLOY = "next: npm run deploy";
const AFTER_CA = `next: npm run deploy, after which agents trust both; npm run secrets -- rotate leaves, and deploy; npm run secrets -- retire, and deploy`;
const AFTER_LEAVES = `${DEPLOY}. Their CA has to be with all agents by then: after \`rotate ca\`, a deploy comes before this`;
const AFTER_TOKENS = `${DEPLOY}; give the new ones to whoever uses them (show NAME); npm run secrets -- retire, and deploy, which replaces the servers in turn if management is among them`;

const ROTATIONS: Readonly<Record<string, Verb>> = {
  gossip: {
    options: ["json"],
    names: 0,
    run: async (call) => report(call, await rotateGossip(call.cluster, call.folder), "", DEPLOY),
  },
  ca: {
    options: ["json", "ca", "ca-key"],
    names: 0,
    run: async (call) => report(call, await rotateCa(call.cluster, call.folder, given(call)), "", AFTER_CA),
  },
  leaves: {
    options: ["json", "leaves"],
    names: Number.POSITIVE_INFINITY,
    run: async (call) =>
      report(
        call,
        await rotateCertificates(call.cluster, call.folder, call.names, given(call)),
        ["rotate leaves", ...call.names].join(" "),
        AFTER_LEAVES,
      ),
  },
  tokens: {
    options: ["json"],
    names: Number.POSITIVE_INFINITY,
    run: async (call) => report(call, await rotateTokens(call.cluster, call.folder, call.names), "", AFTER_TOKENS),
  },
};

const VERBS: Readonly<Record<string, Verb>> = {
  init: {
    options: ["json", "ca", "ca-key", "leaves"],
    names: 0,
    run: async (call) => {
      const done = await initialize(call.cluster, call.folder, given(call));
      const errors = checkSecrets(call.cluster).filter(({ severity }) => severity === "error");
      const status = report(call, done, "init", errors.length === 0 ? DEPLOY : undefined);
      // What has to be issued elsewhere has been said.
      if (status === 0) for (const finding of errors) progress(findingText(finding));
      return status || Math.min(errors.length, 1);
    },
  },
  check: {
    options: ["json"],
    names: 0,
    run: async ({ file, cluster, folder, values }) => {
      const findings = checkSecrets(cluster);
      if (values.json) console.log(JSON.stringify({ file, folder: folder.named(), findings }, null, 2));
      else
        console.log(
          findings.length === 0 ? `${folder.named()}: nothing is wrong` : findings.map(findingText).join("\n"),
        );
      return findings.some(({ severity }) => severity === "error") ? 1 : 0;
    },
  },
  show: {
    options: ["json"],
    names: 1,
    run: async (call) => {
      call.folder.refuseAbsent();
      refuseOtherClusters(call.cluster, call.folder);
      const [name] = call.names;
      if (name === undefined) return list(call);
      const secret = secretNamed(call.folder, name);
      console.log(call.values.json ? JSON.stringify({ name, secret }) : secret);
      return 0;
    },
  },
  retire: {
    options: ["json"],
    names: 0,
    run: async (call) => report(call, await revoke(call.cluster, call.folder), "", DEPLOY),
  },
  export: {
    options: ["without-ca-key"],
    names: 0,
    run: async ({ cluster, folder, values }) => {
      const errors = checkSecrets(cluster).filter(({ severity }) => severity === "error");
      if (errors.length > 0)
        throw new Error(`not while something is wrong with them\n${errors.map(findingText).join("\n")}`);
      console.log(pack(cluster, folder, !values["without-ca-key"]));
      return 0;
    },
  },
  import: {
    options: ["json", "from"],
    names: 0,
    run: async ({ file, cluster, folder, values }) => {
      const target = await importSecrets(cluster, folder, { from: values.from, text: process.env.CONSUL_SECRETS });
      if (values.json) console.log(JSON.stringify({ file, folder: folder.named(), target }, null, 2));
      else console.log(`${folder.named()} is a link to ${target}`);
      progress("next: npm run deploy; when it has ended, npm run secrets -- forget removes both");
      return 0;
    },
  },
  forget: {
    options: ["json"],
    names: 0,
    run: async ({ file, cluster, folder, values }) => sayForgotten(file, folder, clean(cluster, folder), values),
    despite: (error, file, values) => {
      const place = locationIn(file);
      if (!place || !clean(place.cluster, place.folder)) throw new Error(`${BY_HAND}\n${error.message}`);
      return sayForgotten(file, place.folder, true, values);
    },
  },
};

const BY_HAND = `it cannot be told what an import has made while the cluster file has an error
  mend the file, and forget again; or remove by hand the link, secrets/<cluster> unless the file says another, and what it is a link to`;

function sayForgotten(file: string, folder: SecretsFolder, forgotten: boolean, values: Values): number {
  if (values.json) console.log(JSON.stringify({ file, folder: folder.named(), forgotten }, null, 2));
  else
    console.log(
      forgotten
        ? `removed  ${folder.named()}, and what it was a link to`
        : `${folder.named()}: no import has made it, so it stays`,
    );
  return 0;
}

function list({ file, cluster, folder, values }: Call): number {
  const there = inventory(cluster, folder);
  if (values.json) console.log(JSON.stringify({ file, folder: folder.named(), ...there }, null, 2));
  else {
    for (const { file: at, for: purpose, until, fingerprint } of there.certificates)
      console.log(`${at}  until ${until}  ${purpose}\n  ${fingerprint}`);
    console.log(
      `the CA's key: ${there.caKey ? "here" : "kept elsewhere"}; the gossip key: ${there.gossip ? "here" : "missing"} (show ${GOSSIP_NAME})`,
    );
    for (const { name, for: purpose, retiring } of there.tokens)
      console.log(`token ${name}: ${purpose}${retiring > 0 ? `; ${retiring} retiring` : ""}`);
  }
  return 0;
}

/** The word of a table that was meant. */
function pick(table: Readonly<Record<string, Verb>>, word: string | undefined, what: string): Verb {
  const found = word !== undefined && Object.hasOwn(table, word) ? table[word] : undefined;
  if (!found)
    throw new Error(
      word === undefined ? USAGE : `there is no ${what} ${word}${didYouMean(word, Object.keys(table))}\n${USAGE}`,
    );
  return found;
}

/** The cluster; or the status of a verb that does without one whose file has an error. */
function chosenBy({ despite }: Verb, values: Values): ReturnType<typeof chosenCluster> | number {
  try {
    return chosenCluster({ quiet: true });
  } catch (error) {
    if (despite && error instanceof ClusterError) return despite(error, selectClusterFile(), values);
    throw error;
  }
}

command("secrets", USAGE, async () => {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  const [word, ...rest] = positionals;
  const rotation = word === "rotate";
  const verb = rotation ? pick(ROTATIONS, rest[0], "rotation of") : pick(VERBS, word, "verb");
  const names = rotation ? rest.slice(1) : rest;
  const said = rotation ? `rotate ${rest[0]}` : word;
  const [strange] = (Object.keys(OPTIONS) as OptionName[]).filter(
    (name) => values[name] && !verb.options.includes(name),
  );
  if (strange) throw new Error(`${said} has no option --${strange}`);
  if (names.length > verb.names) throw new Error(`${said} does not take ${names.slice(verb.names).join(" ")}`);

  const chosen = chosenBy(verb, values);
  if (typeof chosen === "number") return chosen;
  const { file, cluster } = chosen;
  if (!cluster.security) throw new Error(`${file} says \`security: off\`: the cluster has no secrets`);
  return verb.run({ file, cluster, folder: new SecretsFolder(cluster.security.secrets), names, values });
});
