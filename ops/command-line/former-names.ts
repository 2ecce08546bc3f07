/** Names that commands and options had before. They keep working, and no help shows them. */
const COMMANDS: readonly (readonly [former: string, name: string])[] = [
  ["secrets retire", "secrets revoke"],
  ["secrets forget", "secrets clean"],
  ["secrets rotate leaves", "secrets rotate certificates"],
];
const OPTIONS: Readonly<Record<string, string>> = { "--accept": "--allow", "--leaves": "--certificates" };

/** The words of a command line, with the names and in the order of today. */
export function withPresentNames(words: readonly string[]): string[] {
  const ordered = words[0] === "secrets" ? ["secrets", ...optionsLast(words.slice(1))] : [...words];
  const typed = ordered.join(" ");
  const [former, name] = COMMANDS.find(([former]) => `${typed} `.startsWith(`${former} `)) ?? ["", ""];
  const present = former === "" ? ordered : [...name.split(" "), ...ordered.slice(former.split(" ").length)];
  return present.map((word) => {
    const [option = "", ...value] = word.split("=");
    return Object.hasOwn(OPTIONS, option) ? [OPTIONS[option], ...value].join("=") : word;
  });
}

const SECRETS = /^(init|check|show|rotate|revoke|retire|export|import|clean|forget)$/;
const ROTATED = /^(gossip|ca|certificates|leaves|tokens)$/;

/** Options of `secrets` could stand in front of the subcommand: they come after it. */
function optionsLast(words: readonly string[]): string[] {
  const [subcommand, ...rest] = moved(words, SECRETS);
  if (subcommand !== "rotate") return subcommand === undefined ? [] : [subcommand, ...rest];
  return [subcommand, ...moved(rest, ROTATED)];
}

/** With the first word of a form in front, if only options and their values stand before it. */
function moved(words: readonly string[], form: RegExp): string[] {
  const at = words[0]?.startsWith("-") ? words.findIndex((word) => form.test(word)) : -1;
  return at < 0 ? [...words] : [words[at] as string, ...words.slice(0, at), ...words.slice(at + 1)];
}
