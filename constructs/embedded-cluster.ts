import { join, relative, resolve } from "node:path";
import type { TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { EMBEDDED_FILE } from "../cluster/chosen-file";
import { defineCluster } from "../cluster/define";
import type { ClusterFile } from "../cluster/file/schema";
import { keyText } from "../cluster/problem";
import { stepId } from "../consul/contract";
import { ClusterConstructs } from "./cluster-constructs";
import type { ConsulAgent } from "./consul-agent";
import type { Registrator } from "./registrator";
import { replaceFile } from "./replace-file";
import { whenSynthesized } from "./stack";

const CLUSTER_ID = stepId("cluster");

/**
 * A whole cluster inside a stack of one's own, which has its own backend, outputs and other resources: hosts, servers,
 * client agents, and the steps for ACLs, the quorum, autopilot and definitions. Its description has the keys of a
 * cluster file. It is written beside the stack's JSON, as `cluster.json`, for `consul-cdktf COMMAND --cluster FILE`:
 * `secrets init` makes the secrets, `status` and the other commands find the agents in the stack's Terraform state.
 * @example
 * ```ts
 * import type { TerraformStack } from "cdktf";
 * import { EmbeddedCluster } from "consul-cdktf";
 *
 * declare const stack: TerraformStack;
 * new EmbeddedCluster(stack, {
 *   name: stack.node.id,
 *   daemon: "ssh://root@{address}",
 *   hosts: { node1: "10.0.0.11", node2: "10.0.0.12", node3: "10.0.0.13" },
 *   servers: ["node1", "node2", "node3"],
 * });
 * ```
 */
export class EmbeddedCluster extends Construct {
  /** Servers and client agents by name. */
  readonly agents: ReadonlyMap<string, ConsulAgent>;
  /** Registrators by host name. */
  readonly registrators: ReadonlyMap<string, Registrator>;

  /**
   * @param stack has the cluster's name as its id, because commands find a cluster's state by its name
   * @throws ClusterError with every problem of the description
   * @throws Error for a stack with another id, for hosts with a `group`, and for a `backend`
   */
  constructor(stack: TerraformStack, description: ClusterFile) {
    const cluster = defineCluster(description, ({ path }) => ({
      path: keyText([`${stack.node.path}/${CLUSTER_ID}`, ...path]),
    }));
    const { name, hosts } = cluster;
    if (stack.node.id !== name)
      throw new Error(
        `the stack "${stack.node.id}" has the cluster "${name}": give both the same name, by which commands find the state`,
      );
    const grouped = hosts.find(({ group }) => group !== undefined);
    if (grouped)
      throw new Error(
        `the host "${grouped.name}" is in the group "${grouped.group}", which needs a stack of its own: use ConsulCluster, or remove \`group\``,
      );
    // A private folder gives a cluster of its own a backend, and an embedded one has its stack's.
    if (description.backend !== undefined)
      throw new Error(`the cluster "${name}" has a \`backend\`: remove it, and set the stack's own`);
    super(stack, CLUSTER_ID);
    const { agents, registrators } = new ClusterConstructs(cluster, new Map([[name, stack]]));
    this.agents = agents;
    this.registrators = registrators;
    whenSynthesized(this, (folder) => {
      const file = { ...description, backend: backendIn(stack, folder) };
      replaceFile(join(folder, EMBEDDED_FILE), `${JSON.stringify(file, undefined, 2)}\n`);
    });
  }
}

/**
 * A stack's backend as a cluster file has it, for the commands that read the state.
 * @param folder where Terraform runs: a local path of the stack is relative to it, and one of the file to the project
 */
function backendIn(stack: TerraformStack, folder: string): object | undefined {
  const { backend, cloud } = stack.toTerraform().terraform;
  if (cloud) return { cloud };
  // The former way to HCP Terraform, with the same arguments.
  if (backend?.remote) return { cloud: backend.remote };
  if (!backend?.local) return backend;
  return { local: { ...backend.local, path: relative(".", resolve(folder, backend.local.path)) } };
}
