import type { Construct } from "constructs";
import { ConsulAgent, type ConsulAgentProps } from "./consul-agent";

export interface ConsulServerProps extends ConsulAgentProps {
  /** How many servers the first bootstrap waits for, this one included: the same on all, and a majority of them. Ignored once there is data. */
  readonly bootstrapExpect: number;
}

/** A Consul server: a voter of the cluster's raft. */
export class ConsulServer extends ConsulAgent {
  constructor(scope: Construct, id: string, props: ConsulServerProps) {
    super(scope, id, "server", props);
  }
}
