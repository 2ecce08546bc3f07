import type { Cluster } from "../../cluster/model";
import { backendOf } from "../../cluster/resolve/state-backend";
import { OWN_LABELS } from "../../consul/contract";
import type { StackState } from "../terraform/state";

/** A stack's Terraform state that is another cluster's. */
export interface ForeignState {
  readonly message: string;
  readonly hint: string;
}

/** Terraform states whose containers have the labels of another cluster, and none of this one's. */
export function foreignStates(cluster: Cluster, states: ReadonlyMap<string, StackState>): ForeignState[] {
  return [...states].flatMap(([stack, { resources }]) => {
    const owners = new Set(
      resources.filter(({ type, deposed }) => type === "docker_container" && !deposed).flatMap(clusterOf),
    );
    if (owners.size === 0 || owners.has(cluster.name)) return [];
    const [other] = owners;
    return [
      {
        message: `the Terraform state of the stack ${stack} is that of the cluster "${other}": a deploy would remove or replace that cluster's containers`,
        hint: `${wayOut(cluster, stack)}. Then: npm run adopt (docs/lost-state.md)`,
      },
    ];
  });
}

function wayOut({ backend }: Cluster, stack: string): string {
  const { type, arguments: given } = backendOf(backend, stack);
  if (type === "local") return `move it away: mv ${given.path} ${given.path}.foreign`;
  return `if it was copied there, restore the former version of the Terraform state in the backend, or delete it there; if both clusters use this place, give one of them another one in \`backend\``;
}

const clusterOf = ({ attributes }: StackState["resources"][number]): string[] =>
  ((attributes.labels ?? []) as readonly { readonly label: string; readonly value: string }[])
    .filter(({ label }) => label === OWN_LABELS.cluster)
    .map(({ value }) => value);
