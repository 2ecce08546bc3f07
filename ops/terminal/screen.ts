import { endBy, SIGNALS } from "../signals";
import type { Terminal } from "./terminal";

/** Whether output has colours: at a terminal, unless NO_COLOR is set; elsewhere if FORCE_COLOR is set (no-color.org, force-color.org). */
export function coloured(
  { isTTY }: { readonly isTTY?: boolean },
  { NO_COLOR, FORCE_COLOR }: NodeJS.ProcessEnv = process.env,
): boolean {
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== "") return FORCE_COLOR !== "0";
  return isTTY === true && !NO_COLOR;
}

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
/** Long lines are cut off, not wrapped. */
const NO_WRAP = "\x1b[?7l";
const WRAP = "\x1b[?7h";
const CLEAR = "\x1b[2J\x1b[H";
const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/** For a command that runs until Ctrl-C, which then ends it at any time. The end of a reader of its output ends it too. */
export function untilEnded(): void {
  for (const signal of SIGNALS) process.on(signal, endBy);
  process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => process.exit(code === "EPIPE" ? 0 : 1));
}

/** A screen that is redrawn without flickering. Without a terminal, each text follows the one before. */
export class Screen {
  private drawn = false;

  constructor(private readonly output: Terminal["stdout"]) {}

  /** Draws as much of a text as there is room for. */
  draw(text: string): void {
    const { isTTY, rows = 0 } = this.output;
    if (!isTTY) return void this.output.write(`${text}\n`);
    const lines = text.trimEnd().split("\n");
    const shown =
      lines.length < rows ? lines : [...lines.slice(0, rows - 2), `… and ${lines.length - rows + 2} more lines`];
    const begin = this.drawn ? HOME : HIDE_CURSOR + NO_WRAP + CLEAR;
    if (!this.drawn) process.once("exit", () => this.output.write(`${SHOW_CURSOR}${WRAP}`));
    this.drawn = true;
    this.output.write(`${begin}${shown.map((line) => `${line}${CLEAR_LINE}\n`).join("")}${CLEAR_BELOW}`);
  }
}

/** Lines at the end of the output of a terminal, which are redrawn in place. What stands above them stays. */
export class Block {
  private height = 0;
  private readonly restore = () => void this.output.write(`${SHOW_CURSOR}${WRAP}`);

  constructor(private readonly output: Terminal["stdout"]) {
    process.once("exit", this.restore);
    output.write(HIDE_CURSOR + NO_WRAP);
  }

  draw(lines: readonly string[]): void {
    const begin = this.height > 0 ? `\x1b[${this.height}A` : "";
    this.output.write(`${begin}${lines.map((line) => `${line}${CLEAR_LINE}\n`).join("")}${CLEAR_BELOW}`);
    this.height = lines.length;
  }

  /** The lines stay. */
  end(): void {
    process.off("exit", this.restore);
    this.restore();
  }
}
