import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

/** Says what a program says, line by line. @returns why it failed, by its last line; undefined when it ended well */
export function streamLines(child: ChildProcess, say: (line: string) => void): Promise<string | undefined> {
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface(stream).on("line", (line) => {
      said.push(line);
      say(line);
    });
  }
  return new Promise((answer, fail) => {
    child.on("error", fail);
    child.on("close", (status) => answer(status === 0 ? undefined : (said.at(-1) ?? `exit status ${status}`)));
  });
}
