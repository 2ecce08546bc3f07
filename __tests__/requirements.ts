import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** What unit tests run beside Node, and how it is installed. Tests of scripts also use POSIX tools, which come with `sh`. */
const REQUIRED: Readonly<Record<string, string>> = {
  sh: "a POSIX shell; on Windows use WSL",
  bash: "for what completes command lines, and in the place of nc: apt-get install bash, apk add bash",
  jq: "apt-get install jq, apk add jq, or brew install jq",
  sha256sum: "apt-get install coreutils, or brew install coreutils",
};

/** The path of a program, as a shell finds it. */
export const programOn = (path: string, program: string): string | undefined =>
  path
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });

/** A line for each program that is not on the PATH. */
export const missing = (path: string): string[] =>
  Object.entries(REQUIRED)
    .filter(([program]) => programOn(path, program) === undefined)
    .map(([program, hint]) => `  ${program}: ${hint}`);

/** Before the first test, so that a missing program is one failure with its remedy and not a failure of each test that runs it. */
export default function checkRequirements(): void {
  const lines = missing(process.env.PATH ?? "");
  if (lines.length > 0) throw new Error(`unit tests run programs that are not on the PATH\n${lines.join("\n")}`);
}
