import { readFileSync } from "node:fs";
import { ConsulApi, CURL } from "./consul";
import type { DockerHost } from "./test-bed/docker-host";

/** The API of an agent that listens on loopback only, as is the default of `client_addr`: requested in its container. */
export class LoopbackHttp extends ConsulApi {
  /** @param header file with a line `X-Consul-Token: ...`, which is read at each request */
  constructor(
    private readonly host: DockerHost,
    private readonly container: string,
    private readonly header: string,
  ) {
    super();
  }

  protected async curl(options: readonly string[], path: string, input = ""): Promise<string> {
    const token = readFileSync(this.header, "utf8").trim();
    const curl = ["curl", ...CURL, "-H", token, ...options, `http://127.0.0.1:8500${path}`];
    return (await this.host.dockerWith({ input }, "exec", "-i", this.container, ...curl)).stdout;
  }
}
