import type { Credentials } from "./credentials";
import type { TestBedMachine } from "./test-bed/machine";

/** Consul's HTTP API, requested with curl. */
export abstract class ConsulApi {
  /** The body of a response; throws for a status that is not 2xx. */
  get(path: string): Promise<string> {
    return this.curl([], path);
  }

  // biome-ignore lint/suspicious/noExplicitAny: Consul's answers are read by their documented fields
  async json(path: string): Promise<any> {
    return JSON.parse(await this.get(path));
  }

  put(path: string, body: unknown): Promise<string> {
    const input = typeof body === "string" ? body : JSON.stringify(body);
    return this.curl(["-X", "PUT", "--data-binary", "@-"], path, input);
  }

  /** A request without a body. */
  post(path: string): Promise<string> {
    return this.curl(["-X", "POST"], path);
  }

  /** The output of curl with its common options and these. */
  protected abstract curl(options: readonly string[], path: string, input?: string): Promise<string>;
}

/** Options that all requests have. */
export const CURL = ["-fsS", "-m", "10"] as const;

/** The API at an address, requested on a machine of the test bed. */
export class ConsulHttp extends ConsulApi {
  constructor(
    private readonly machine: TestBedMachine,
    readonly url: string,
    private readonly credentials?: Credentials,
  ) {
    super();
  }

  protected async curl(options: readonly string[], path: string, input?: string): Promise<string> {
    const { ca, cert, key, header } = this.credentials ?? {};
    const credentials = this.credentials
      ? ["--cacert", `${ca}`, "--cert", `${cert}`, "--key", `${key}`, "-H", `@${header}`]
      : [];
    const { stdout } = await this.machine.run("curl", [...CURL, ...credentials, ...options, `${this.url}${path}`], {
      input,
    });
    return stdout;
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
