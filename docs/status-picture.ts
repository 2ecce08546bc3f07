import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "../ops/status/format";
import type { Status } from "../ops/status/status";
import { COLUMNS, terminalPicture } from "./terminal-picture";

/** What `npm run status -- --json` printed in an end-to-end test: see e2e/README.md. */
const RECORDED = join(__dirname, "pictures/status.json");

/** The recorded status of a cluster, at a terminal. */
export function statusPicture(): string {
  const status = JSON.parse(readFileSync(RECORDED, "utf8")) as Status;
  return terminalPicture(
    "npm run status at a terminal: the leader, the voters, a row for each agent, a stopped agent, and the hint for it",
    "npm run status",
    text(status, { colour: true, all: false, width: COLUMNS }),
  );
}
