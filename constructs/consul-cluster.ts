import { type App, TerraformOutput, TerraformStack } from "cdktf";
import type { Cluster } from "../cluster/model";
import { stacksOf } from "../cluster/resolve/stacks";
import { STACKS_OUTPUT } from "../consul/contract";
import { ClusterConstructs } from "./cluster-constructs";
import type { ConsulAgent } from "./consul-agent";
import type { Registrator } from "./registrator";
import { StateBackend } from "./state-backend";

/**
 * A whole cluster, as the stack of its name. Hosts with a `group` are in separate stacks.
 * @example
 * ```ts
 * import { App } from "cdktf";
 * import { ConsulCluster, loadCluster } from "consul-cdktf";
 *
 * const app = new App();
 * new ConsulCluster(app, loadCluster("cluster.yaml"));
 * app.synth();
 * ```
 */
export class ConsulCluster extends TerraformStack {
  /** All stacks by name, this one included. */
  readonly stacks: ReadonlyMap<string, TerraformStack>;
  /** Servers and client agents by name. */
  readonly agents: ReadonlyMap<string, ConsulAgent>;
  /** Registrators by host name. */
  readonly registrators: ReadonlyMap<string, Registrator>;

  constructor(app: App, cluster: Cluster) {
    super(app, cluster.name);
    this.stacks = this.placeStacks(app, cluster);
    for (const [name, stack] of this.stacks) new StateBackend(stack, cluster.backend, name);
    // With this output a deploy notices that a stack has been removed, which the cluster file alone does not show.
    if (this.stacks.size > 1) new TerraformOutput(this, STACKS_OUTPUT, { value: [...this.stacks.keys()].sort() });
    const { agents, registrators } = new ClusterConstructs(cluster, this.stacks);
    this.agents = agents;
    this.registrators = registrators;
  }

  private placeStacks(app: App, cluster: Cluster): Map<string, TerraformStack> {
    const described = stacksOf(cluster);
    const stacks = new Map(
      described.map(({ name }): [string, TerraformStack] => [
        name,
        name === cluster.name ? this : new TerraformStack(app, name),
      ]),
    );
    for (const { name, dependencies } of described) {
      for (const dependency of dependencies) stacks.get(name)?.addDependency(stacks.get(dependency) as TerraformStack);
    }
    return stacks;
  }
}
