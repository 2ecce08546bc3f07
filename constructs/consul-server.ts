import type { Construct } from "constructs";
import { ConsulAgent, type ConsulAgentProps } from "./consul-agent";
import { terraformId } from "./docker-host";

export interface ConsulServerProps extends ConsulAgentProps {
  /** How many servers the first bootstrap waits for, this one included: the same on all, and a majority of them. Ignored once there is data. */
  readonly bootstrapExpect: number;
}

/** A Consul server: a voter of the cluster's raft. */
export class ConsulServer extends ConsulAgent {
  private readonly peers: ConsulServer[] = [];

  constructor(scope: Construct, id: string, props: ConsulServerProps) {
    super(scope, id, "server", props);
    this.addPeers();
  }

  /**
   * Further servers of the cluster, which are asked whether this one may be stopped when it cannot be asked itself. Asked it is always: Terraform
   * stops a server only while the others are a healthy quorum.
   */
  addPeers(...servers: ConsulServer[]): void {
    this.peers.push(...servers.filter((server) => server !== this && !this.peers.includes(server)));
    this.askBeforeStop({ owner: terraformId(this), peers: this.peers.map(({ askTarget }) => askTarget) });
  }
}
