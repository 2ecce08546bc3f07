import { Token } from "cdktf";
import type { Construct } from "constructs";
import type { ConsulAgentProps, IConsulServer } from "./agent-props";
import { ConsulAgent } from "./consul-agent";
import { JoinAddress } from "./join-address";

/** The properties of a server, beside those of every agent. */
export interface ConsulServerProps extends ConsulAgentProps {
  /**
   * How many servers the first bootstrap waits for, including this one. All servers must have the same value, a majority
   * of their number. Consul ignores it when the server has data.
   * @unit servers
   */
  readonly bootstrapExpect: number;
}

/**
 * A Consul server: a voter of the cluster's Raft.
 * @example
 * ```ts
 * import type { TerraformStack } from "cdktf";
 * import { ConsulServer, DockerHost } from "consul-cdktf";
 *
 * declare const stack: TerraformStack;
 * const servers = ["10.0.0.11", "10.0.0.12", "10.0.0.13"].map((address, index) => {
 *   const host = new DockerHost(stack, `node${index + 1}`, { address, daemon: "ssh://root@{address}" });
 *   return new ConsulServer(stack, `server${index + 1}`, { host, bootstrapExpect: 2 });
 * });
 * for (const server of servers) server.addJoin(...servers);
 * ```
 */
export class ConsulServer extends ConsulAgent implements IConsulServer {
  /**
   * A server that another program deploys, which agents of this stack join.
   * @param address an IP address or DNS name; `host:port` and `[ipv6]:port` if its gossip port is not 8301
   * @throws Error if the text has another format
   */
  static fromAddress(address: string | JoinAddress): IConsulServer {
    return { role: "server", joinAddress: typeof address === "string" ? parsed(address) : address };
  }

  declare readonly role: "server";

  /**
   * @throws ClusterError for wrong values, and for a secret, which the synthesized JSON would contain
   * @throws Error for a property that does not exist
   */
  constructor(scope: Construct, id: string, props: ConsulServerProps) {
    super(scope, id, "server", props);
  }
}

/** A value that only Terraform knows is taken for a host, because its format cannot be checked here. */
const parsed = (text: string): JoinAddress =>
  Token.isUnresolved(text) ? JoinAddress.of(text) : JoinAddress.parse(text);
