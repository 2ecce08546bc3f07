import { CONTAINER_VARIABLES, PATHS, READY_MARK } from "../consul/contract";
import { SECRET_FILES } from "../consul/secrets";
import { type Authority, answerTo, ContainerUnreachable, parsed } from "./consul-api";
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
  readFile: '[ ! -r "$1" ] || cat "$1"',
  /**
   * Nothing is sent, so that nobody has anything to log. An agent that works ends such a connection; for one that hangs,
   * its host alone takes it, and keeps it.
   */
  connects: `while [ $# -gt 0 ]; do
  { timeout 3 nc "$2" "$3" </dev/null >/dev/null 2>&1 && printf '%s\\n' "$1"; } &
  shift 3
done
wait`,
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

  /** @param addresses host:port, IPv6 addresses in brackets */
  async connects(addresses: readonly string[]): Promise<ReadonlySet<string>> {
    if (addresses.length === 0) return new Set();
    const words = addresses.flatMap((address) => {
      const end = address.lastIndexOf(":");
      return [address, address.slice(0, end).replace(/^\[|\]$/g, ""), address.slice(end + 1)];
    });
    const reached = (await this.run(IN_CONTAINER.connects, ...words)).split("\n");
    return new Set(addresses.filter((address) => reached.includes(address)));
  }

  /** The leader's answer to a token of the agent's secrets: its status, or 0 for none. */
  async tokenStatus(token: "current" | "former" | "management"): Promise<number> {
    const answer = await answerTo(this.api, { method: "GET", path: "/v1/acl/token/self", authority: token });
    return answer?.status ?? 0;
  }

  /** The gossip key of the agent's secrets; undefined if there is none. @throws ContainerUnreachable */
  async gossipKey(): Promise<string | undefined> {
    return parsed<{ encrypt?: string }>(await this.readSecret(SECRET_FILES.gossip))?.encrypt;
  }

  /** The agent's own token, which may write its node; nobody's if it has none. @throws ContainerUnreachable */
  async ownToken(): Promise<Authority> {
    const config = parsed<{ acl?: { tokens?: { agent?: string } } }>(await this.readSecret(SECRET_FILES.tokens));
    const secretId = config?.acl?.tokens?.agent;
    return secretId === undefined ? "anonymous" : { secretId };
  }

  /** A file of the agent's secrets, for this program's memory alone; "" if there is none. @throws ContainerUnreachable */
  readSecret(name: string): Promise<string> {
    return this.run(IN_CONTAINER.readFile, `${PATHS.secrets}/${name}`);
  }

  /** Runs a script in the container. @returns its output. @throws ContainerUnreachable, also when it fails */
  async run(script: string, ...args: string[]): Promise<string> {
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

  private async answersYes(script: string, ...args: string[]): Promise<boolean> {
    return (await this.run(script, ...args)).trim() === "yes";
  }
}
