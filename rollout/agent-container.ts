import { CONTAINER_VARIABLES, PATHS, READY_MARK } from "../consul/contract";
import { SECRET_FILES } from "../consul/secrets";
import { answerTo, ContainerUnreachable, parsed } from "./consul-api";
import { type ConnectionSettings, ConsulConnection } from "./consul-connection";
import type { Docker } from "./docker";
import { DockerCli, type Operator } from "./docker-cli";
import type { ExecTarget } from "./request";

const READY_FILE = `\${${CONTAINER_VARIABLES.dataFolder}:-${PATHS.data}}/${READY_MARK}`;

/** Scripts that run in an agent's container. */
export const IN_CONTAINER = {
  /** The mark is in the agent's data, so that it is as old as they are. */
  wasReady: `if [ -e "${READY_FILE}" ]; then echo yes; else echo no; fi`,
  /** As Consul's user, whose the data is: root may not be allowed to. */
  markReady: `su-exec consul touch "${READY_FILE}"`,
  /** Nothing is sent, so that nobody has anything to log. */
  connects: 'nc -w 2 "$1" "$2" </dev/null >/dev/null 2>&1 && echo yes || echo no',
} as const;

/** An agent's running container: its API, and what only the container knows. Close it. */
export class AgentContainer {
  readonly api: ConsulConnection;
  readonly docker: Docker;

  constructor(
    readonly target: ExecTarget,
    operator: Operator,
    settings: ConnectionSettings = {},
  ) {
    const cli = DockerCli.of(target, operator);
    this.docker = cli;
    this.api = new ConsulConnection(cli, target.container, { address: target.api, ...settings });
  }

  close(): Promise<void> {
    return this.api.close();
  }

  isSecured(): Promise<boolean> {
    return this.api.isSecured();
  }

  /** Whether a client agent was ready before. */
  wasReady(): Promise<boolean> {
    return this.answersYes(IN_CONTAINER.wasReady);
  }

  async markReady(): Promise<void> {
    await this.run(IN_CONTAINER.markReady);
  }

  /** @param address host:port, an IPv6 address in brackets */
  connects(address: string): Promise<boolean> {
    const end = address.lastIndexOf(":");
    const host = address.slice(0, end).replace(/^\[|\]$/g, "");
    return this.answersYes(IN_CONTAINER.connects, host, address.slice(end + 1));
  }

  /** The leader's answer to a token of the agent's secrets: its status, or 0 for none. */
  async tokenStatus(token: "current" | "former" | "management"): Promise<number> {
    const answer = await answerTo(this.api, { method: "GET", path: "/v1/acl/token/self", authority: token });
    return answer?.status ?? 0;
  }

  /** The gossip key of the agent's secrets; undefined if there is none. */
  async gossipKey(): Promise<string | undefined> {
    const { ok, output } = await this.docker.run([
      "exec",
      this.target.container,
      "cat",
      `${PATHS.secrets}/${SECRET_FILES.gossip}`,
    ]);
    return ok ? parsed<{ encrypt?: string }>(output)?.encrypt : undefined;
  }

  private async answersYes(script: string, ...args: string[]): Promise<boolean> {
    return (await this.run(script, ...args)).trim() === "yes";
  }

  private async run(script: string, ...args: string[]): Promise<string> {
    const { ok, output, error } = await this.docker.run([
      "exec",
      this.target.container,
      "/bin/sh",
      "-c",
      script,
      "sh",
      ...args,
    ]);
    if (!ok) throw new ContainerUnreachable(error);
    return output;
  }
}
