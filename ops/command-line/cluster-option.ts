import { nameByOption } from "../../cluster/chosen-file";

const OPTION = "--cluster";

/**
 * Every command takes `--cluster FILE` in any place, as the variable CLUSTER: programs that a command starts, such as
 * the one that synthesizes, read the variable. The next commands that messages name have the option too.
 * @returns the words without it
 * @throws Error if it has no value
 */
export function takeClusterOption(words: readonly string[], env: NodeJS.ProcessEnv): string[] {
  const at = words.findIndex((word) => word === OPTION || word.startsWith(`${OPTION}=`));
  nameByOption(undefined);
  if (at < 0) return [...words];
  const [, given] = /=(.*)/.exec(words[at] as string) ?? [];
  const file = given ?? words[at + 1];
  if (!file || (given === undefined && file.startsWith("-")))
    throw new Error(`${OPTION} needs a cluster file: ${OPTION} cluster.yaml`);
  env.CLUSTER = file;
  nameByOption(file);
  return words.toSpliced(at, given === undefined ? 2 : 1);
}
