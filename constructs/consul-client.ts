import type { Construct } from "constructs";
import { ConsulAgent, type ConsulAgentProps } from "./consul-agent";

export interface ConsulClientProps extends ConsulAgentProps {
  /** How many servers the first bootstrap waits for: until so many are up, the client's gate lets it pass. Default 1: it waits for a leader. */
  readonly bootstrapExpect?: number;
  /** How many clients of the cluster may be replaced at a time. Default 1. */
  readonly maxParallelClients?: number;
}

/** A Consul client: the agent of a host, which asks the servers. */
export class ConsulClient extends ConsulAgent {
  constructor(scope: Construct, id: string, props: ConsulClientProps) {
    super(scope, id, "client", props);
  }
}
