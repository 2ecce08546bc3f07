import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { STACK_JSON } from "../consul/contract";

/** Beside an embedded cluster's stack JSON. JSON is YAML, so commands read it as a cluster file. */
export const EMBEDDED_FILE = "cluster.json";

/** The cluster file that the option --cluster named. The variable CLUSTER needs nothing: it also holds for the next command. */
let named: string | undefined;

/** @param file undefined if the option was not used */
export function nameByOption(file: string | undefined): void {
  named = file;
}

/**
 * Commands in a message, as a user types them for the cluster file that was chosen: `npm run diff` becomes
 * `npm run diff -- --cluster other.yaml`. A program with an embedded cluster is deployed by CDKTF, and need not have the
 * npm scripts. A text that was passed before stays as it is.
 */
export function commandsIn(text: string): string {
  const file = named;
  if (file === undefined) return text;
  const option = `--cluster ${shellWord(file)}`;
  return text.replace(/\bnpm run ([a-z]+)\b(?! -- --cluster )( --(?= ))?/g, (_, command: string) => {
    if (!isEmbedded(file)) return `npm run ${command} -- ${option}`;
    return command === "deploy" ? "npx cdktf deploy" : `npx consul-cdktf ${command} ${option}`;
  });
}

/** Whether a program has written the file. */
export const isEmbedded = (file: string): boolean =>
  basename(file) === EMBEDDED_FILE && existsSync(join(dirname(file), STACK_JSON));

/** A word of a command line, in quotes if a shell would read it as anything else. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
