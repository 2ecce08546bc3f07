import type { Construct } from "constructs";
import type { ConsulAgentProps } from "./agent-props";
import { ConsulAgent } from "./consul-agent";

export interface ConsulServerProps extends ConsulAgentProps {
  /**
   * How many servers the first bootstrap waits for, including this one. All servers must have the same value, a majority
   * of their number. Consul ignores it when the server has data.
   */
  readonly bootstrapExpect: number;
}

/** A Consul server: a voter of the cluster's Raft. */
export class ConsulServer extends ConsulAgent {
  constructor(scope: Construct, id: string, props: ConsulServerProps) {
    super(scope, id, "server", props);
  }
}
