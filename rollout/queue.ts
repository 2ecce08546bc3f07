import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, Stopwatch } from "./clock";
import type { Processes } from "./processes";
import type { Role } from "./request";

/** A folder of empty files, which processes share. */
export interface SharedFolder {
  list(): Promise<readonly string[]>;
  create(name: string): Promise<void>;
  /** It need not exist. */
  remove(name: string): Promise<void>;
}

/** The folder of a queue in a Terraform run's folder: of a role's checks, or of all that begin. */
export function queueFolder(run: string, kind: Role | "docker"): SharedFolder {
  const folder = join(run, `queue.${kind}`);
  return {
    // Nobody was in the queue of a role that no check of the run has.
    list: async () => (existsSync(folder) ? readdirSync(folder) : []),
    create: async (name) => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, name), "", { flag: "wx" });
    },
    remove: async (name) => rmSync(join(folder, name), { force: true }),
  };
}

/** Between two looks of a process that is soon at the head. */
const POLL_MS = 150;
/**
 * Those behind it look that many times more seldom, at most: their turn is seconds away. A look reads a folder of as many
 * files as wait, so that of a hundred processes that all look at once nothing would be left for the one at the head.
 */
const MOST_POLLS = 10;
/** How long a process id that was used again may pass for the process that had it before. */
const DOUBT_SECONDS = 5;

const CHOOSING = "choosing";

/** A process's file: its ticket, or that it is choosing one. */
interface Entry {
  readonly name: string;
  /** Undefined while it is being chosen. */
  readonly ticket: number | undefined;
  readonly pid: number;
  /** When the process started; "" if that is unknown. */
  readonly start: string;
}

/** Whom a process waits for. */
interface Awaited {
  /** The first of those alive. */
  readonly first: readonly Entry[];
  /** How many are ahead in all, some of them dead perhaps. */
  readonly count: number;
}

/**
 * The queue of one Terraform run's checks, of one role, on this machine. Only checks at its head hold a docker CLI and
 * an ssh connection while they wait for a lock, a slot or the quorum: of a hundred checks at once, one CLI each would
 * need 22 MB.
 *
 * It is Lamport's bakery: a process announces that it chooses, takes a ticket above all others, and is at the head when
 * of those alive fewer choose or have a lower ticket than the head has places. Thus no more are at the head than it has
 * places, though files have no common clock and are not listed at one moment. All that others need to know is in the
 * files' names, because a name appears at once, and its content later. No name is used twice, so the removal of a dead
 * process's file never meets another's.
 */
export class Queue {
  /** This process's file in the folder. */
  private own: Entry | undefined;

  constructor(
    private readonly folder: SharedFolder,
    private readonly processes: Processes,
    private readonly pid = process.pid,
    /** How many may be at the head. */
    private readonly places = 1,
  ) {}

  /** Takes a place in the queue, unless this process has one. Others see it, though it does not wait yet. */
  async join(): Promise<Entry> {
    this.own ??= await this.takeTicket();
    return this.own;
  }

  /**
   * Waits until no live process is in the queue, or there is no reason to wait any more.
   * @returns whether one was in it
   */
  whenEmpty(clock: Clock, isEnough: () => boolean = () => false): Promise<boolean> {
    const first = async () => this.alive(await this.entries(), 1);
    return this.pass(async () => ({ first: await first(), count: 1 }), isEnough, clock);
  }

  /**
   * Joins the queue, and waits until this process is at the head.
   * @param isCalled whether those at the head wait for this process: then it need not wait for them
   */
  async turn(clock: Clock, isCalled: () => boolean = () => false): Promise<void> {
    const own = await this.join();
    await this.pass(
      () => this.ahead(own),
      ({ length }) => length < this.places || isCalled(),
      clock,
    );
  }

  /** Waits until there is nobody to wait for, or those need not be waited for. @returns whether there was anybody */
  private async pass(
    waitedFor: () => Promise<Awaited>,
    isEnough: (entries: readonly Entry[]) => boolean,
    clock: Clock,
  ): Promise<boolean> {
    let last: Entry | undefined;
    let since = new Stopwatch(clock);
    let polls = 1;
    for (; ; await clock.sleep(polls * POLL_MS)) {
      const awaited = await waitedFor();
      const [first] = awaited.first;
      if (!first) return last !== undefined;
      if (isEnough(awaited.first)) return true;
      polls = Math.min(MOST_POLLS, Math.max(1, awaited.count - this.places));
      if (first.name !== last?.name) since = new Stopwatch(clock);
      last = first;
      // Asking for its start may need a program, so it is not asked at each look.
      if (!since.reached(DOUBT_SECONDS)) continue;
      since.restart();
      const start = this.processes.startOf(first.pid);
      if (start !== "" && first.start !== "" && start !== first.start) await this.folder.remove(first.name);
    }
  }

  /** The check has answered: the next one may come. */
  async leave(): Promise<void> {
    if (this.own) await this.folder.remove(this.own.name);
    this.own = undefined;
  }

  private async takeTicket(): Promise<Entry> {
    const start = this.processes.startOf(this.pid);
    // The moment, which this process has once.
    const identity = `${this.pid}.${start}.${process.hrtime.bigint().toString(36)}`;
    const choosing = `${CHOOSING}.${identity}`;
    await this.folder.create(choosing);
    const tickets = (await this.entries()).map(({ ticket }) => ticket ?? 0);
    const ticket = Math.max(0, ...tickets) + 1;
    const name = `${ticket}.${identity}`;
    await this.folder.create(name);
    await this.folder.remove(choosing);
    return { name, ticket, pid: this.pid, start };
  }

  /** Live processes that are ahead of an entry, or may be: no more of them than there are places. */
  private async ahead(own: Entry): Promise<Awaited> {
    // In this order: a process that is seen neither to choose nor to have a ticket begins to choose later, and sees
    // this ticket.
    const choosing = (await this.entries()).filter(({ ticket }) => ticket === undefined);
    const entries = await this.entries();
    const place = entries.findIndex(({ name }) => name === own.name);
    if (place < 0) throw new Error("its file in Terraform's data folder was removed: other checks do not wait for it");
    const ahead = [...choosing, ...entries.slice(0, place)];
    // Of so many only: to ask whether a process is alive may need a program.
    return { first: await this.alive(ahead, this.places), count: ahead.length };
  }

  /** The first live processes of some. Files of dead ones before them are removed. */
  private async alive(entries: readonly Entry[], most: number): Promise<Entry[]> {
    const alive: Entry[] = [];
    for (const entry of entries) {
      if (alive.length === most) break;
      if (this.processes.isAlive(entry.pid)) alive.push(entry);
      else await this.folder.remove(entry.name);
    }
    return alive;
  }

  private async entries(): Promise<Entry[]> {
    const entries = (await this.folder.list()).flatMap((name): Entry[] => {
      const parts = /^(choosing|\d+)\.(\d+)\.([\w-]*)\.\w+$/.exec(name)?.slice(1);
      if (!parts) return [];
      const [place, pid, start] = parts as [string, string, string];
      return [{ name, ticket: place === CHOOSING ? undefined : Number(place), pid: Number(pid), start }];
    });
    return entries.sort((a, b) => (isBefore(a, b) ? -1 : 1));
  }
}

/** Two may have taken the same ticket: their names decide. */
function isBefore(a: Entry, b: Entry): boolean {
  const left = a.ticket ?? 0;
  const right = b.ticket ?? 0;
  return left < right || (left === right && a.name < b.name);
}
