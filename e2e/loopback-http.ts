import { readFileSync } from "node:fs";
import type { DockerHost } from "./test-bed/docker-host";

/**
 * The HTTP API of an agent that listens on loopback only, as is the default of `client_addr`: requested with curl in
 * the agent's container.
 */
export class LoopbackHttp {
  /** @param header file with a line `X-Consul-Token: ...`, which is read at each request */
  constructor(
    private readonly host: DockerHost,
    private readonly container: string,
    private readonly header: string,
  ) {}

  /** The body of a response; throws for a status that is not 2xx. */
  async get(path: string): Promise<string> {
    return this.curl([], path);
  }

  // biome-ignore lint/suspicious/noExplicitAny: Consul's answers are read by their documented fields
  async json(path: string): Promise<any> {
    return JSON.parse(await this.get(path));
  }

  async put(path: string, body: unknown): Promise<string> {
    return this.curl(
      ["-X", "PUT", "--data-binary", "@-"],
      path,
      typeof body === "string" ? body : JSON.stringify(body),
    );
  }

  private async curl(options: readonly string[], path: string, input = ""): Promise<string> {
    const token = readFileSync(this.header, "utf8").trim();
    const curl = ["curl", "-fsS", "-m", "10", "-H", token, ...options, `http://127.0.0.1:8500${path}`];
    return (await this.host.dockerWith({ input }, "exec", "-i", this.container, ...curl)).stdout;
  }
}
