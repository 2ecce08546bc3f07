import type { Construct } from "constructs";
import { DEFAULTS } from "../cluster/resolve/defaults";
import type { ConsulAgentProps } from "./agent-props";
import { ConsulAgent } from "./consul-agent";

export interface ConsulClientProps extends ConsulAgentProps {
  /**
   * How many servers the first bootstrap waits for. While fewer are up, the readiness check succeeds without a leader.
   * @default 1: the readiness check waits for a leader
   */
  readonly bootstrapExpect?: number;
  /** How many client agents of the cluster may be replaced in parallel. @default 1 */
  readonly maxParallelClients?: number;
}

/** A Consul client agent. */
export class ConsulClient extends ConsulAgent {
  constructor(scope: Construct, id: string, props: ConsulClientProps) {
    super(scope, id, "client", { ...props, bootstrapExpect: props.bootstrapExpect ?? DEFAULTS.expectedServers });
  }
}
