import { readdirSync, readFileSync } from "node:fs";

/**
 * peeper.ts FILE: searches the arguments and environments of all processes of the machine for the words in FILE, one a
 * line, until SIGTERM; then prints which were found, by the number of their line, and where.
 */

const PERIOD_MS = 20;
const LIMIT_MS = 20 * 60_000;
const words = readFileSync(process.argv[2] as string, "utf8")
  .trim()
  .split("\n");
const seen: Record<string, string> = {};
let looks = 0;
let going = true;
process.on("SIGTERM", () => {
  going = false;
});
setTimeout(() => process.exit(1), LIMIT_MS).unref();

function look(): void {
  looks++;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    for (const file of ["cmdline", "environ"]) {
      let text: string;
      try {
        text = readFileSync(`/proc/${pid}/${file}`, "latin1");
      } catch {
        continue;
      }
      words.forEach((word, line) => {
        if (text.includes(word)) seen[line + 1] ??= `${file}: ${text.slice(0, 60).replaceAll("\0", " ")}`;
      });
    }
  }
}

async function main(): Promise<void> {
  console.log("started");
  while (going) {
    look();
    await new Promise((resume) => setTimeout(resume, PERIOD_MS));
  }
  console.log(JSON.stringify({ looks, seen }));
}

main();
