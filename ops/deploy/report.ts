import { summaryText } from "../explain/changes-text";
import type { Terminal } from "../terminal/terminal";
import { EventText } from "./event-text";
import { type DeployCommand, type DeployEvent, eventLine } from "./events";
import { LiveView } from "./live-view";
import { isKnown, type PlannedStack, stackTexts } from "./planned-stacks";
import type { Progress } from "./progress";

/** Shows a deploy to whoever started it. */
export interface Report {
  take(event: DeployEvent): void;
  /** The plans are being applied from now on. */
  begin(progress: Progress): void;
  end(): void;
  /** Nothing was changed. The reason is also printed as any other error. */
  reject(command: DeployCommand, reason: string): void;
}

/** Events for programs at standard output: a line of JSON each. */
class JsonReport implements Report {
  constructor(
    private readonly terminal: Terminal,
    private readonly now: () => number,
  ) {}

  take(event: DeployEvent): void {
    this.terminal.print(eventLine(event, this.now()));
  }

  begin(): void {}

  end(): void {}

  reject(command: DeployCommand, reason: string): void {
    const nothing = { seconds: 0, untouched: [], unfinished: [] };
    this.take({ event: "summary", command, result: "rejected", failures: [{ reason }], ...nothing });
  }
}

/** For people: a view that is redrawn in place at a terminal, and a line an event elsewhere. */
class TextReport implements Report {
  private readonly text = new EventText();
  private view: LiveView | undefined;

  constructor(
    private readonly terminal: Terminal,
    private readonly now: () => number,
  ) {}

  take(event: DeployEvent): void {
    if (event.event === "plan") this.plan(event.stacks, new Map(Object.entries(event.skipped)));
    else if (this.view) this.view.take(event);
    else for (const line of this.text.lines(event)) this.terminal.print(line);
  }

  begin(progress: Progress): void {
    const { stdout } = this.terminal;
    if (stdout.isTTY) this.view = new LiveView(progress, stdout, this.now);
  }

  end(): void {
    this.view?.end();
    this.view = undefined;
  }

  reject(): void {}

  private plan(stacks: readonly PlannedStack[], skipped: ReadonlyMap<string, readonly string[]>): void {
    const known = stacks.filter(isKnown);
    const summary = summaryText(known, skipped.size === 0 && known.length === stacks.length);
    for (const text of [...stackTexts(stacks, skipped), summary]) this.terminal.print(`\n${text}`);
    this.terminal.print("");
  }
}

export const reportFor = ({ json }: { readonly json?: boolean }, terminal: Terminal): Report =>
  json ? new JsonReport(terminal, Date.now) : new TextReport(terminal, Date.now);

/** Programs that read the events learn that nothing was changed from the last one, as they do of any other end. */
export async function reportingRejection(
  command: DeployCommand,
  report: Report,
  work: () => Promise<number>,
): Promise<number> {
  try {
    return await work();
  } catch (error) {
    report.reject(command, (error as Error).message);
    throw error;
  }
}
