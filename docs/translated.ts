import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashOf, pageText, partsOf, staleParts, TRANSLATIONS, type TranslatedPart, withHash } from "./translations";

/**
 * `node --require ./typescript.cjs docs/translated.ts`: what has changed in English pages since they were translated.
 * With a Chinese page and the numbers of parts that are translated now, it writes the hashes of the English parts into
 * them. It never writes into parts that are not named.
 */
function main(page: string | undefined, numbers: readonly string[]): void {
  const stale = staleParts();
  if (page === undefined) {
    for (const part of stale) console.log(`${describe(part)}\n${changesOf(part)}`);
    process.exitCode = stale.length === 0 ? 0 : 1;
    return;
  }
  for (const number of numbers) {
    const part = stale.find((candidate) => candidate.page === page && candidate.number === Number(number));
    if (part === undefined) {
      console.error(`${page} has no part ${number} whose English part has changed`);
      process.exitCode = 1;
      continue;
    }
    writeFileSync(join(__dirname, "..", page), withHash(pageText(page), part));
    console.log(`translated: ${describe(part)}`);
  }
}

const describe = ({ page, number, heading }: TranslatedPart): string => `${page}, part ${number}: ${heading}`;

/** The changes of an English part since the version that was translated, which git has. */
function changesOf(part: TranslatedPart): string {
  const english = TRANSLATIONS[part.page] as string;
  const now = partsOf(pageText(english))[part.number - 1] as string;
  const before = part.translated === undefined ? undefined : versionOf(english, part.translated);
  if (before === undefined) return `${now.trim()}\n`;
  const folder = mkdtempSync(join(tmpdir(), "consul-cdktf-translated-"));
  try {
    const files = [join(folder, "translated"), join(folder, "now")] as const;
    writeFileSync(files[0], `${before.trim()}\n`);
    writeFileSync(files[1], `${now.trim()}\n`);
    const { stdout } = spawnSync("git", ["diff", "--no-index", "--", ...files], { encoding: "utf8" });
    return stdout.split("\n").slice(4).join("\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A part of an English page, as it was when it had a hash. */
function versionOf(english: string, hash: string): string | undefined {
  const git = (...words: string[]) => execFileSync("git", words, { cwd: join(__dirname, ".."), encoding: "utf8" });
  const commits = git("log", "--format=%H", "--", english).trim().split("\n");
  for (const commit of commits) {
    const found = partsOf(git("show", `${commit}:${english}`)).find((part) => hashOf(part) === hash);
    if (found !== undefined) return found;
  }
  return undefined;
}

const [page, ...numbers] = process.argv.slice(2);
main(page, numbers);
