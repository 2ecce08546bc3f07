import type { Credentials } from "./credentials";
import type { CommandOptions, CommandResult } from "./test-bed/command";
import type { TestBedMachine } from "./test-bed/machine";

/** Consul's HTTP API at an address, requested with curl on a machine of the test bed. */
export class ConsulHttp {
  constructor(
    private readonly machine: TestBedMachine,
    readonly url: string,
    private readonly credentials?: Credentials,
  ) {}

  /** The body of a response; throws for a status that is not 2xx. */
  async get(path: string): Promise<string> {
    return (await this.curl([], path)).stdout;
  }

  // biome-ignore lint/suspicious/noExplicitAny: Consul's answers are read by their documented fields
  async json(path: string): Promise<any> {
    return JSON.parse(await this.get(path));
  }

  async put(path: string, body: unknown): Promise<string> {
    const input = typeof body === "string" ? body : JSON.stringify(body);
    return (await this.curl(["-X", "PUT", "--data-binary", "@-"], path, { input })).stdout;
  }

  private curl(options: readonly string[], path: string, more: CommandOptions = {}): Promise<CommandResult> {
    const { ca, cert, key, header } = this.credentials ?? {};
    const credentials = this.credentials
      ? ["--cacert", `${ca}`, "--cert", `${cert}`, "--key", `${key}`, "-H", `@${header}`]
      : [];
    return this.machine.run("curl", ["-fsS", "-m", "10", ...credentials, ...options, `${this.url}${path}`], more);
  }
}

/**
 * Retries until a claim holds, for what takes a moment by design (gossip, checks, restarts); then the last failure is
 * the test's.
 */
export async function eventually<T>(claim: () => Promise<T>, seconds = 30): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await claim();
    } catch (failure) {
      if (Date.now() > end) throw failure;
      await new Promise((resume) => setTimeout(resume, 300));
    }
  }
}
