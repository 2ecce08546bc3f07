import { existsSync, readFileSync, rmSync } from "node:fs";
import { parse } from "yaml";
import { backendSchema } from "../../cluster/file/schema";
import type { Cluster } from "../../cluster/model";
import { hintLine } from "../../cluster/problem";
import { withPrivatePath } from "../../cluster/resolve/private-folder";
import { stackNames } from "../../cluster/resolve/stacks";
import { backendProblems, backendTypeOf } from "../../cluster/resolve/state-backend";
import { STACKS_OUTPUT } from "../../consul/contract";
import { chosenCluster } from "../chosen-cluster";
import { unsavedFile, unsavedStates } from "../inspect/unsaved-state";
import { select } from "../select";
import type { Terminal } from "../terminal/terminal";
import { forgetBackend, isInitialized } from "../terraform/folder";
import { hasSameContent, pull, push, StateLocked, type StateVersion, versionOf } from "../terraform/moved-state";
import { runningDeploys, stateLock } from "../terraform/running-deploys";
import { parseState, withBackendFolder } from "../terraform/state";
import { OUTPUT, type Stack, synthesize } from "../terraform/synth";
import { terraform } from "../terraform/terraform";

interface StackOptions {
  /** Names of stacks, or patterns with `*`. None: all. */
  readonly stacks: readonly string[];
}

/** Stacks of the cluster. A project may have others, with backends of their own. */
async function selected({ name, hosts }: Cluster, names: readonly string[]): Promise<Stack[]> {
  const wanted = select("stack", stackNames(name, hosts), names);
  return (await synthesize()).filter((stack) => wanted.includes(stack.name));
}

/** Writes back what deploys could not store. */
export async function recover({ stacks: names }: StackOptions, terminal: Terminal): Promise<number> {
  const { cluster } = chosenCluster(terminal.print);
  const stacks = (await selected(cluster, names)).filter((stack) => existsSync(unsavedFile(stack)));
  if (stacks.length === 0) terminal.print("every deploy has stored its Terraform state: nothing to recover");
  let failed = false;
  for (const stack of stacks) {
    try {
      terminal.print(`${stack.name}: ${await recoverStack(stack)}`);
    } catch (error) {
      failed = true;
      terminal.log(`${stack.name}: not recovered: ${(error as Error).message}`);
      if (error instanceof StateLocked)
        terminal.log(hintLine(`HCP Terraform keeps the lock of such a deploy: npm run state -- unlock ${stack.name}`));
    }
  }
  return failed ? 1 : 0;
}

async function recoverStack(stack: Stack): Promise<string> {
  const file = unsavedFile(stack);
  const unsaved = versionOf(readFileSync(file, "utf8"));
  if (unsaved === undefined) throw new Error(`${file} is empty`);
  const stored = await pull(stack.folder);
  const isStored = stored !== undefined && hasSameContent(stored, unsaved);
  if (stored && !isStored && stored.lineage !== unsaved.lineage)
    throw new Error(`the backend has the state of another cluster, and ${file} is not from it`);
  if (stored && !isStored && stored.serial > unsaved.serial)
    throw new Error(
      `a later deploy has stored its state, and what ${file} has in addition is not known to it: npm run doctor shows what differs; then delete the file`,
    );
  if (!isStored) await push(stack.folder, unsaved);
  rmSync(file);
  return `the Terraform state of the last deploy is stored${isStored ? " already" : ""}`;
}

/** Releases locks that killed deploys have left. */
export async function unlock(
  { stacks: names, force = false }: StackOptions & { readonly force?: boolean },
  terminal: Terminal,
): Promise<number> {
  const { cluster } = chosenCluster(terminal.print);
  let left = 0;
  let locked = 0;
  for (const stack of await selected(cluster, names)) {
    const lock = await stateLock(stack);
    if (lock === undefined) continue;
    locked += 1;
    const facts = lock.facts.length > 0 ? ` (${lock.facts.join(", ")})` : "";
    if (!force || lock.id === undefined) {
      left += 1;
      const byItself = lock.id === undefined ? ", until the deploy that holds the lock ends" : "";
      terminal.print(`${stack.name}: locked${facts}${byItself}`);
      continue;
    }
    const { exitCode, error } = await terraform(stack.folder, ["force-unlock", "-force", lock.id]);
    if (exitCode !== 0) throw new Error(`${stack.name} cannot be unlocked\n${error}`);
    terminal.print(`${stack.name}: unlocked${facts}`);
  }
  if (locked === 0) terminal.print("no Terraform state is locked");
  if (left > 0 && !force) terminal.log("If no deploy is running, on any machine: npm run state -- unlock --force");
  return left > 0 ? 1 : 0;
}

/** Copies the Terraform states of all stacks to another backend. */
export async function migrate({ to }: { readonly to: string }, terminal: Terminal): Promise<number> {
  const { file, cluster } = chosenCluster(terminal.print);
  const stacks = await selected(cluster, []);
  const written = backendFrom(
    to,
    stacks.map(({ name }) => name),
  );
  const target = withPrivatePath(written, cluster.privateFolder) ?? written;
  const fresh = stacks.filter(({ folder }) => !isInitialized(folder));
  const unsaved = unsavedStates(stacks).map(({ message, hint }) => `${message}\n${hintLine(hint ?? "")}`);
  if (unsaved.length > 0) throw new Error(unsaved.join("\n"));
  const deploying = await runningDeploys(stacks);
  if (deploying.length > 0)
    throw new Error(`a deploy is running in ${deploying.join(", ")}: npm run state -- unlock shows whose`);

  const moves = await plannedMoves(cluster, stacks, target);
  const refused = moves.flatMap(({ refusal }) => refusal ?? []);
  if (refused.length > 0) {
    // The operator may go on with the other backend: this command alone has initialized these folders for the present one.
    for (const { folder } of fresh) forgetBackend(folder);
    throw new Error(`nothing was moved\n${refused.join("\n")}`);
  }
  for (const { stack, state, stored } of moves) {
    if (state === undefined) terminal.print(`${stack}: was never deployed`);
    else if (stored) terminal.print(`${stack}: there already`);
    else {
      await withBackendFolder(target, stack, (folder) => push(folder, state));
      terminal.print(`${stack}: moved`);
    }
  }
  for (const { folder } of stacks) forgetBackend(folder);
  // A cluster file there is written by a synth, from the stack of a program.
  const where = file.includes(OUTPUT) ? "Set the stack's backend" : `Write into ${file}`;
  terminal.log(`${where}, before the next deploy: backend: ${JSON.stringify(written)}`);
  terminal.log(
    `The former states stay in the backend ${backendTypeOf(cluster.backend)}. Delete them after that deploy.`,
  );
  return 0;
}

function backendFrom(text: string, stacks: readonly string[]) {
  const { success, data, error } = backendSchema.safeParse(parse(text));
  if (!success) throw new Error(`--to is no backend: ${error.issues.map(({ message }) => message).join("; ")}`);
  const [problem] = backendProblems(data, stacks);
  if (problem) throw new Error(`--to: ${problem.message}\n${hintLine(problem.hint)}`);
  return data;
}

interface Move {
  readonly stack: string;
  /** What the cluster file's backend has; undefined for a stack that was never deployed. */
  readonly state?: StateVersion;
  /** The target has it already. */
  readonly stored: boolean;
  readonly refusal?: string;
}

/** What is to be moved: the states of all stacks, and of those that the cluster file has no longer. */
async function plannedMoves(
  cluster: Cluster,
  stacks: readonly Stack[],
  target: NonNullable<Cluster["backend"]>,
): Promise<Move[]> {
  const states = new Map<string, StateVersion | undefined>();
  for (const { name, folder } of stacks) states.set(name, await pull(folder));
  const listed = parseState(states.get(cluster.name)?.text ?? "").outputs[STACKS_OUTPUT];
  const former = (Array.isArray(listed) ? listed.map(String) : []).filter((name) => !states.has(name));
  for (const name of former) states.set(name, await withBackendFolder(cluster.backend, name, pull));
  const moves: Move[] = [];
  for (const [stack, state] of states) {
    const present = await withBackendFolder(target, stack, pull);
    moves.push({ stack, state, ...comparison(stack, state, present) });
  }
  return moves;
}

function comparison(
  stack: string,
  state: StateVersion | undefined,
  present: StateVersion | undefined,
): Pick<Move, "stored" | "refusal"> {
  if (present === undefined) return { stored: false };
  if (state && hasSameContent(present, state)) return { stored: true };
  if (state === undefined || present.lineage !== state.lineage)
    return { stored: false, refusal: `${stack}: the target has another Terraform state, of another cluster or deploy` };
  if (present.serial >= state.serial)
    return { stored: false, refusal: `${stack}: the target's Terraform state is newer: is it in use already?` };
  return { stored: false };
}
