import { SystemProcesses } from "../rollout/processes";

/** What a file keeps of the process that has written it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Tells it from a later process with the same id. */
  readonly start: string;
}

const processes = new SystemProcesses();

export const ownIdentity = (): ProcessIdentity => ({ pid: process.pid, start: processes.startOf(process.pid) });

/** Whether that very process still runs. */
export const isRunning = ({ pid, start }: ProcessIdentity): boolean =>
  processes.isAlive(pid) && processes.startOf(pid) === start;
