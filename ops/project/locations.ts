import type { Cluster } from "../../cluster/model";
import { stackNames } from "../../cluster/resolve/stacks";
import { backendOf } from "../../cluster/resolve/state-backend";
import { localFolder } from "../backups/local";

/** Where a cluster's secrets, its Terraform state and its snapshots are, a line each. They belong into no repository. */
export function locationLines(cluster: Cluster): string[] {
  const { name, hosts, backend, security } = cluster;
  const stacks = stackNames(name, hosts);
  const state = backendOf(backend, stacks.length === 1 ? name : "<stack>");
  const stored = state.type === "local" ? String(state.arguments.path) : `backend ${state.type}`;
  const locations: [where: string, what: string][] = [];
  if (security) locations.push([security.secrets, "secrets: the only copy of the cluster's keys and tokens"]);
  locations.push([stored, "Terraform state"], [localFolder(cluster), "snapshots that npm run backup saves"]);
  const width = Math.max(...locations.map(([where]) => where.length));
  return locations.map(([where, what]) => `  ${where.padEnd(width)}   ${what}`);
}
