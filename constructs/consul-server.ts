import { Token } from "cdktf";
import type { Construct } from "constructs";
import type { ConsulAgentProps, IConsulServer } from "./agent-props";
import { ConsulAgent } from "./consul-agent";
import { JoinAddress } from "./join-address";

export interface ConsulServerProps extends ConsulAgentProps {
  /**
   * How many servers the first bootstrap waits for, including this one. All servers must have the same value, a majority
   * of their number. Consul ignores it when the server has data.
   */
  readonly bootstrapExpect: number;
}

/** A Consul server: a voter of the cluster's Raft. */
export class ConsulServer extends ConsulAgent implements IConsulServer {
  /**
   * A server that another program deploys.
   * @param address an IP address or DNS name; `host:port` and `[ipv6]:port` if its gossip port is not 8301
   * @throws Error if the text has another format
   */
  static fromAddress(address: string | JoinAddress): IConsulServer {
    return { role: "server", joinAddress: typeof address === "string" ? parsed(address) : address };
  }

  declare readonly role: "server";

  constructor(scope: Construct, id: string, props: ConsulServerProps) {
    super(scope, id, "server", props);
  }
}

/** A value that only Terraform knows is taken for a host, because its format cannot be checked here. */
const parsed = (text: string): JoinAddress =>
  Token.isUnresolved(text) ? JoinAddress.of(text) : JoinAddress.parse(text);
