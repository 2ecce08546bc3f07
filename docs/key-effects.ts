import { isDeepStrictEqual } from "node:util";
import { App } from "cdktf";
import { defineCluster } from "../cluster/define";
import type { ClusterFile } from "../cluster/file/schema";
import { ConsulCluster } from "../constructs/consul-cluster";
import { EXAMPLE_CLUSTER, type KeyExample, type KeySection, type Part } from "./key-examples";

/** A resource of the synthesized JSON. */
type Resource = Readonly<Record<string, unknown>>;
/** Resources by `stack/type.id`. */
type Resources = ReadonlyMap<string, Resource>;

/** What the provider changes while a container runs (resourceDockerContainerUpdate); all else replaces it. */
const IN_PLACE = new Set(["restart", "memory", "memory_swap", "cpu_set"]);
/** Nothing of these is in the Terraform state: a change of them changes nothing that runs. */
const NOT_IN_STATE = new Set(["//", "provisioner", "lifecycle", "depends_on", "provider", "destroy_grace_seconds"]);

/**
 * What a deploy does after the key was changed as its example shows.
 * @throws if the example is no valid part of a cluster file
 */
export function effectOf(key: string, { place }: KeySection, example: KeyExample): string {
  const fileWith = (keys: Part) => ({ ...EXAMPLE_CLUSTER, ...example.file, ...place(keys) }) as ClusterFile;
  const keys = (value: unknown): Part =>
    value === undefined ? { ...example.beside } : { ...example.beside, [key]: value };
  const after = synthesized(fileWith(keys(example.value)));
  return example.effect ?? effectBetween(synthesized(fileWith(example.instead ?? keys(example.before))), after);
}

interface SynthesizedCluster {
  readonly resources: Resources;
  readonly terraform: Part;
}

const SYNTHESIZED = new Map<string, SynthesizedCluster>();

/** Many keys have the same file before. */
function synthesized(file: ClusterFile): SynthesizedCluster {
  const text = JSON.stringify(file);
  const result = SYNTHESIZED.get(text) ?? synthesize(file);
  SYNTHESIZED.set(text, result);
  return result;
}

function synthesize(file: ClusterFile): SynthesizedCluster {
  const { stacks } = new ConsulCluster(new App({ stackTraces: false }), defineCluster(file));
  const resources = new Map<string, Resource>();
  const terraform: Record<string, unknown> = {};
  for (const [name, stack] of stacks) {
    const json = JSON.parse(JSON.stringify(stack.toTerraform()));
    terraform[name] = json.terraform;
    for (const [type, ofType] of Object.entries<Record<string, Resource>>(json.resource))
      for (const [id, resource] of Object.entries(ofType)) resources.set(`${name}/${type}.${id}`, resource);
  }
  return { resources, terraform };
}

/** The attributes that differ in the Terraform state. */
const differing = (before: Resource, after: Resource): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => !NOT_IN_STATE.has(key) && !isDeepStrictEqual(before[key], after[key]),
  );

function effectBetween(before: SynthesizedCluster, after: SynthesizedCluster): string {
  const added = [...after.resources.keys()].filter((id) => !before.resources.has(id));
  const changed = [...after.resources].flatMap(([id, resource]) => {
    const former = before.resources.get(id);
    const keys = former ? differing(former, resource) : [];
    return keys.length > 0 ? [{ id, keys }] : [];
  });
  const containers = [...after.resources].filter(([id]) => id.includes("/docker_container."));
  const roleOf = (id: string): string => {
    const labels = (after.resources.get(id)?.labels ?? []) as readonly { label: string; value: string }[];
    return labels.find(({ label }) => label === "consul-cdktf.role")?.value ?? "";
  };
  /** An image is an expression in its container. */
  const replaced = new Set(
    changed.flatMap(({ id, keys }) => {
      if (id.includes("/docker_image."))
        return containers.filter(([, container]) => usesImage(container, id)).map(([of]) => of);
      return id.includes("/docker_container.") && keys.some((key) => !IN_PLACE.has(key)) ? [id] : [];
    }),
  );
  const rolesOf = (ids: readonly string[]) => new Set(ids.map(roleOf));
  const all = rolesOf(containers.map(([id]) => id));
  const effects = [
    ...additions(rolesOf(added.filter((id) => id.includes("/docker_container.")))),
    ...replacements(rolesOf([...replaced]), all, replaced.size),
  ];
  // A new container begins with what is on its volume.
  const isAgent = (id: string) => ["server", "client"].includes(roleOf(id));
  if (changed.some(({ id, keys }) => isAgent(id) && keys.includes("volumes"))) effects.push("**other data**");
  const others = changed.filter(({ id }) => !replaced.has(id));
  if (changed.some(({ id }) => id.includes("/docker_network.")))
    effects.push("several on a host at once ([`network-replaced`](errors.md#before-a-deploy))");
  if (others.some(({ id }) => id.includes("/docker_container."))) effects.push("changes the containers in place");
  const steps = [...others.map(({ id }) => id), ...added].filter((id) => id.includes("/terraform_data."));
  const isNew = effects.includes(NEW_AGENT);
  if (steps.some((id) => id.endsWith("_services")) && !isNew) effects.push("reload");
  if (steps.some((id) => /\.consul_(autopilot|definitions|acl)$/.test(id)) && replaced.size === 0)
    effects.push("applied");
  const onlyImages = added.length > 0 && added.every((id) => id.includes("/docker_image."));
  if (onlyImages) effects.push("pulls images");
  if (!isDeepStrictEqual(before.terraform, after.terraform))
    effects.push("the [Terraform state moves](state.md#moving-to-another-backend)");
  return effects.length > 0 ? effects.join("; ") : "nothing";
}

const NEW_AGENT = "creates the agent";

const usesImage = ({ image }: Resource, id: string): boolean =>
  String(image).includes(`\${${id.replace(/^.*\//, "")}.`);

const additions = (roles: ReadonlySet<string>): string[] => {
  if (roles.has("server") || roles.has("client")) return [NEW_AGENT];
  return [...roles].map((role) => `creates the containers of ${role}`);
};

/** @param all the roles that there are in the cluster */
function replacements(roles: ReadonlySet<string>, all: ReadonlySet<string>, count: number): string[] {
  const effects = [];
  if (roles.has("server") && (roles.has("client") || !all.has("client"))) effects.push("replaces all agents");
  else if (roles.has("server")) effects.push("replaces the servers");
  else if (roles.has("client")) effects.push(count === 1 ? "replaces the agent" : "replaces the client agents");
  for (const role of ["registrator", "backups"])
    if (roles.has(role)) effects.push(`replaces the containers of ${role}`);
  return effects;
}
