import type { Docker, DockerOptions, DockerResult } from "../../rollout/docker";

/** A call of the docker CLI: its arguments in one line, and its standard input. */
export interface DockerCall {
  readonly line: string;
  readonly input: string;
  readonly seconds: number | undefined;
}

type Answer = string | Partial<DockerResult> | undefined;

export const failed = (error: string): Partial<DockerResult> => ({ ok: false, error });

/** A daemon whose answers a test gives: text is printed, and nothing is an empty success. */
export class FakeDocker implements Docker {
  readonly calls: DockerCall[] = [];

  /** @param answer to a call's arguments in one line */
  constructor(public answer: (line: string, calls: number) => Answer | Promise<Answer>) {}

  async run(args: readonly string[], { input = "", seconds }: DockerOptions = {}): Promise<DockerResult> {
    const line = args.join(" ");
    this.calls.push({ line, input: input.toString(), seconds });
    const answer = await this.answer(line, this.calls.length);
    const result = typeof answer === "string" ? { output: answer } : answer;
    return { ok: true, output: "", error: "", ...result };
  }

  lines(): string[] {
    return this.calls.map(({ line }) => line);
  }
}
