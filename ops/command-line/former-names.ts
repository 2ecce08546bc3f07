/** Names that commands and options had before. They keep working, and no help shows them. */
const COMMANDS: readonly (readonly [former: string, name: string])[] = [
  ["secrets retire", "secrets revoke"],
  ["secrets forget", "secrets clean"],
  ["secrets rotate leaves", "secrets rotate certificates"],
];
const OPTIONS: Readonly<Record<string, string>> = { "--accept": "--allow", "--leaves": "--certificates" };

/** The words of a command line, with the names of today. */
export function withPresentNames(words: readonly string[]): string[] {
  const typed = words.join(" ");
  const [former, name] = COMMANDS.find(([former]) => `${typed} `.startsWith(`${former} `)) ?? ["", ""];
  const present = former === "" ? words : [...name.split(" "), ...words.slice(former.split(" ").length)];
  return present.map((word) => {
    const [option = "", ...value] = word.split("=");
    return Object.hasOwn(OPTIONS, option) ? [OPTIONS[option], ...value].join("=") : word;
  });
}
