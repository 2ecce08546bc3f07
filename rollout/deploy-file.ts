import { existsSync, readFileSync } from "node:fs";
import { DEPLOY_VARIABLE } from "../consul/contract";
import { type Denial, deny } from "./outcome";
import type { Processes } from "./processes";

/** The content of the file that the variable names. */
export const deployFileText = (pid: number): string => `${pid}\n`;

const REST = "npm run deploy does the rest";

/** Denies every further stop in a deploy that was interrupted, or whose command was killed. */
export function deniedByEnd(env: NodeJS.ProcessEnv, processes: Processes): Denial | undefined {
  const file = env[DEPLOY_VARIABLE];
  if (!file) return undefined;
  if (!existsSync(file)) return deny("the deploy was interrupted", REST);
  if (processes.isAlive(Number.parseInt(readFileSync(file, "utf8"), 10))) return undefined;
  return deny("the command that deploys was killed", REST);
}
