import type { Construct } from "constructs";
import { DEFAULTS } from "../cluster/resolve/defaults";
import type { ConsulAgentProps } from "./agent-props";
import { ConsulAgent } from "./consul-agent";

/** The properties of a client agent, beside those of every agent. */
export interface ConsulClientProps extends ConsulAgentProps {
  /**
   * How many servers the first bootstrap waits for. While fewer are up, the readiness check succeeds without a leader.
   * @unit servers
   * @default 1: the readiness check waits for a leader
   */
  readonly bootstrapExpect?: number;
  /** How many client agents of the cluster may be replaced in parallel. @unit client agents @default 1 */
  readonly maxParallelClients?: number;
}

/**
 * A Consul client agent. Programs of its host use it for DNS and the HTTP API, and register their services with it.
 * @example
 * ```ts
 * import type { TerraformStack } from "cdktf";
 * import { ConsulClient, ConsulServer, DockerHost } from "consul-cdktf";
 *
 * declare const stack: TerraformStack;
 * const host = new DockerHost(stack, "web1", { address: "10.0.0.21", daemon: "ssh://root@{address}" });
 * new ConsulClient(stack, "web", { host, join: [ConsulServer.fromAddress("10.0.0.11")] });
 * ```
 */
export class ConsulClient extends ConsulAgent {
  /**
   * @throws ClusterError for wrong values, and for a secret, which the synthesized JSON would contain
   * @throws Error for a property that does not exist
   */
  constructor(scope: Construct, id: string, props: ConsulClientProps) {
    super(scope, id, "client", { ...props, bootstrapExpect: props.bootstrapExpect ?? DEFAULTS.expectedServers });
  }
}
