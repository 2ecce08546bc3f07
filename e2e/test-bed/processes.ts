import * as fs from "node:fs";

/**
 * Finds the processes of the test bed. A recorded pid may belong to another process by now, so the kernel's namespaces
 * identify them.
 */

/** The kernel's number of a named network namespace, or undefined if there is none. */
export function netnsInode(name: string): string | undefined {
  try {
    const inode = String(fs.statSync(`/run/netns/${name}`).ino);
    // An interrupted `ip netns add` leaves a plain file as the name. The real machine's own namespace is never one of
    // the test bed.
    return namespaceOf(1, "net") === `net:[${inode}]` ? undefined : inode;
  } catch {
    return undefined;
  }
}

/** All processes of a network namespace, in the order of their pids. */
export function processesInNetns(name: string): number[] {
  const inode = netnsInode(name);
  if (!inode) return [];
  return allProcesses().filter((pid) => namespaceOf(pid, "net") === `net:[${inode}]`);
}

/** All processes in the pid namespace of the given one, on any network. */
export function processesBeside(init: number): number[] {
  const namespace = namespaceOf(init, "pid");
  return namespace ? allProcesses().filter((pid) => namespaceOf(pid, "pid") === namespace) : [];
}

/** All processes whose command line matches. */
export function processesMatching(pattern: RegExp): number[] {
  return allProcesses().filter((pid) => pattern.test(commandLine(pid)));
}

/** All processes of a process group, whose id is its first process's pid. */
export function processesInGroup(group: number): number[] {
  // The fields after the name, which is in parentheses and may contain anything: state, parent, group.
  const groupOf = (pid: number) => Number(read(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ")[2]);
  return allProcesses().filter((pid) => groupOf(pid) === group);
}

/** Pid 1 of the machine with this network namespace; containers' pid 1 are one level deeper. */
export function initInNetns(name: string): number | undefined {
  return processesInNetns(name).find((pid) => {
    const pids = /^NSpid:\s*(.*)$/m.exec(read(`/proc/${pid}/status`))?.[1]?.split(/\s+/) ?? [];
    return pids.length === 2 && pids[1] === "1";
  });
}

/** True while the process exists in that network namespace. */
export function livesInNetns(pid: number, name: string): boolean {
  const inode = netnsInode(name);
  return inode !== undefined && namespaceOf(pid, "net") === `net:[${inode}]`;
}

/** A process's command line, its arguments separated by spaces; empty if it has ended or is a zombie. */
export function commandLine(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replace(/\0/g, " ").trim();
}

/** Sends SIGKILL to all of them, except this process and its ancestors, and waits until they have ended. */
export async function killAndWait(pids: readonly number[], timeoutMs = 10_000): Promise<void> {
  const spared = ownAncestors();
  const doomed = pids.filter((pid) => !spared.has(pid));
  for (const pid of doomed) send(pid, "SIGKILL");
  await waitForEnd(doomed, timeoutMs);
}

/** Waits until none of the processes exists, and returns whether they ended in time. */
export async function waitForEnd(pids: readonly number[], timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  // A zombie has ended, and has an empty command line.
  while (pids.some((pid) => commandLine(pid) !== "")) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}

/** Sends a signal; a process that has ended is no error. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

/** SIGKILL to every process whose environment has the variable with that value. */
export function killProcessesWithEnvironment(variable: string, value: string): void {
  const entry = `${variable}=${value}`;
  for (const pid of allProcesses()) {
    if (pid !== process.pid && read(`/proc/${pid}/environ`).split("\0").includes(entry)) send(pid, "SIGKILL");
  }
}

function allProcesses(): number[] {
  return fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function namespaceOf(pid: number, kind: "net" | "pid"): string | undefined {
  try {
    return fs.readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    return undefined;
  }
}

function ownAncestors(): Set<number> {
  const ancestors = new Set<number>();
  for (let pid = process.pid; pid > 0; pid = Number(/^PPid:\s*(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0)) {
    ancestors.add(pid);
  }
  return ancestors;
}

function read(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
