import { didYouMean } from "../../cluster/suggest";
import type { DocumentedCommand } from "./command";

/** Options of the CDKTF CLI that take no value. */
const FLAGS = new Set([
  "--outputs-file-include-sensitive-outputs",
  "--refresh-only",
  "--no-color",
  "--migrate-state",
  "--skip-provider-lock",
  "--disable-plugin-cache-env",
  "--ignore-missing-stack-dependencies",
]);

/**
 * Tells stacks from options that are passed on to the CDKTF CLI. Which of its options take a value is not known here:
 * a word directly behind one is passed on too, unless the option is one of FLAGS.
 * @param words as they were typed
 * @param rest those among them that are no options of the command
 * @throws for an option of another command, and for one that is probably a misspelt option of this command
 */
export function cdktfArguments(command: DocumentedCommand, words: readonly string[], rest: readonly string[]) {
  const own = longOptions(command);
  const others = new Set(command.parent?.commands.flatMap(longOptions));
  const stacks: string[] = [];
  const passedOn: string[] = [];
  let index = -1;
  /** Index of the word that may be the value of an option. */
  let valueIndex = -1;
  for (const word of rest) {
    index = words.indexOf(word, index + 1);
    if (word.startsWith("-")) {
      const [name = ""] = word.split("=", 1);
      if (others.has(name) || didYouMean(name, own) !== "")
        command.error(`error: unknown option '${name}'${didYouMean(name, own)}`);
      passedOn.push(word);
      valueIndex = word.includes("=") || FLAGS.has(word) ? -1 : index + 1;
    } else if (index === valueIndex) passedOn.push(word);
    else stacks.push(word);
  }
  return { stacks, passedOn };
}

const longOptions = (command: { readonly options: readonly { readonly long?: string | null }[] }): string[] =>
  command.options.flatMap(({ long }) => long ?? []);
