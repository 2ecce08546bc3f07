import type { Cluster } from "./model";
import { ClusterError, problem } from "./problem";
import { stackNames } from "./resolve/stacks";

/**
 * With a file as its backend, Terraform would keep the state of a workspace in cdktf.out/, which people delete, and each
 * command without the variable would find a cluster that does not exist.
 * @param file the cluster file, for the message
 * @throws ClusterError if TF_WORKSPACE names a workspace, and the state is a file of the project
 */
export function rejectWorkspace(cluster: Cluster, file: string, env: NodeJS.ProcessEnv = process.env): void {
  const { TF_WORKSPACE: workspace } = env;
  const { name, hosts, backend } = cluster;
  if (!workspace || workspace === "default" || (backend !== undefined && backend.local === undefined)) return;
  const path = backend?.local?.path ?? "terraform.STACK.tfstate";
  const [stack] = stackNames(name, hosts);
  throw new ClusterError([
    problem({
      code: "terraform-workspace",
      location: { file },
      message: `TF_WORKSPACE=${workspace} would keep the Terraform state in cdktf.out/, which a synth may remove`,
      hint: `unset TF_WORKSPACE; if a deploy ran with it, move each stack's state first: mv cdktf.out/stacks/${stack}/terraform.tfstate.d/${workspace}/terraform.tfstate to ${path.replace("STACK", String(stack))}`,
    }),
  ]);
}
