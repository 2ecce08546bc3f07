import { resolve } from "node:path";
import type { Cluster } from "../../cluster/model";
import { located, type Problem } from "../../cluster/problem";
import { stackNames } from "../../cluster/resolve/stacks";
import { backendOf } from "../../cluster/resolve/state-backend";
import { localFolder } from "../backups/local";
import { importedCopy } from "../secrets/access";
import { SecretsFolder } from "../secrets/folder";
import { CA_KEY } from "../secrets/sources";
import { checkoutOf, privateFolderBeside } from "./work-tree";

/** Something of a cluster that is lost with its location, unless there is a copy. It belongs into no repository. */
export interface Location {
  readonly content: "secrets" | "Terraform state" | "snapshots";
  /** A path that is absolute or relative to the project; or a backend's type. */
  readonly location: string;
  /** Whether `git clean -fdx` removes it: it is in a git checkout. */
  readonly inCheckout: boolean;
  /** What is known to be elsewhere too. */
  readonly copy: "all" | "part" | "none";
  /** The copy, or how to make one. */
  readonly detail: string;
}

/** Which cluster the locations are of, and when. */
interface Whose {
  readonly cluster: Cluster;
  /** The project's folder. */
  readonly root: string;
  /** Whether the containers exist, which have most of the secrets. */
  readonly deployed: boolean;
}

/** Where a cluster's secrets, its Terraform state and its snapshots are, and which of them have a copy. */
export function locationsOf(cluster: Cluster, deployed: boolean, root = "."): Location[] {
  const whose = { cluster, deployed, root };
  return [...secretsLocation(whose), stateLocation(whose), snapshotsLocation(whose)];
}

function secretsLocation({ cluster, deployed, root }: Whose): Location[] {
  if (!cluster.security) return [];
  const { secrets: location } = cluster.security;
  const folder = new SecretsFolder(resolve(root, location));
  const inCheckout = isInCheckout(folder.at());
  const at = (copy: Location["copy"], detail: string): Location[] => [
    { content: "secrets", location, inCheckout, copy, detail },
  ];
  if (importedCopy(cluster, folder) !== undefined) return at("all", "an import of exported secrets");
  if (!deployed) return at("none", "no copy");
  const hasKey = folder.read(CA_KEY) !== undefined;
  return at("part", `no copy of ${hasKey ? "the CA's key" : "the operator's certificate"}; containers have the rest`);
}

function stateLocation({ cluster: { name, hosts, backend }, deployed, root }: Whose): Location {
  const stacks = stackNames(name, hosts);
  const { type, arguments: given } = backendOf(backend, stacks.length === 1 ? name : "<stack>");
  const content = "Terraform state";
  if (type !== "local")
    return { content, location: `backend ${type}`, inCheckout: false, copy: "all", detail: "not on this machine" };
  const location = String(given.path);
  const at = { content, location, inCheckout: isInCheckout(resolve(root, location)) } as const;
  if (!deployed) return { ...at, copy: "none", detail: "no copy" };
  return { ...at, copy: "part", detail: "no copy; npm run adopt writes it from the containers" };
}

function snapshotsLocation({ cluster, root }: Whose): Location {
  const location = localFolder(cluster);
  const at = { content: "snapshots", location, inCheckout: isInCheckout(resolve(root, location)) } as const;
  if (!cluster.backups) return { ...at, copy: "none", detail: "no copy, and none until npm run backup" };
  return { ...at, copy: "all", detail: `the servers' hosts store the newest ${cluster.backups.keep} of their own` };
}

const isInCheckout = (path: string): boolean => checkoutOf(path) !== undefined;

/** The locations, a line each. */
export function locationLines(locations: readonly Location[]): string[] {
  const width = Math.max(...locations.map(({ location }) => location.length));
  return locations.map(({ content, location, inCheckout, detail }) => {
    const removed = inCheckout ? "; in a git checkout: git clean -fdx removes it" : "";
    return `  ${location.padEnd(width)}   ${content}: ${detail}${removed}`;
  });
}

/** A warning of what `git clean -fdx` would remove. None if that is nothing. */
export function checkoutWarnings(cluster: Cluster, locations: readonly Location[]): Problem[] {
  const inside = locations.filter(({ inCheckout }) => inCheckout);
  const [first] = inside;
  if (!first) return [];
  const names = inside.map(({ location }) => location).join(", ");
  const hasKey = cluster.privateFolder !== undefined;
  return [
    located(
      {
        code: "files-in-checkout",
        path: [hasKey ? "private_folder" : "name"],
        message: `${names} ${inside.length === 1 ? "is" : "are"} in the git checkout ${checkoutOf(first.location)}, where git clean -fdx removes what git ignores`,
        hint: `before the first deploy, write private_folder: ${privateFolderBeside(".", cluster.name)}, and move there what exists (docs/projects.md). Later, another path of the secrets replaces every container`,
      },
      cluster.locate,
    ),
  ];
}
