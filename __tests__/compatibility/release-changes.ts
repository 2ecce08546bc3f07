import type { Json } from "../../e2e/compatibility/expected";

/**
 * What the next release changes on purpose in the JSON of the last one, which is compared otherwise. The changelog says
 * which containers that replaces.
 */

/** The default image moves with releases, because versions of Consul end. */
const DEFAULT_IMAGE = { from: "hashicorp/consul:1.22.2", to: "hashicorp/consul:1.22.7" } as const;
/** The mirror of one of the cases, through which its hosts pull. */
const MIRROR = "172.16.8.5:5001/";

/** The cases whose agents have no image of their own. */
const WITHOUT_IMAGE: readonly string[] = [
  "local",
  "production",
  "seed",
  "daemons",
  "racks",
  "bridge",
  "bridge-secured",
  "ipv6",
  "one",
  "two",
];

/** A stack of the last release, with what the next one changes: the name of the default image, where an image is pulled. */
export function asReleasedNext(name: string, stack: Json): Json {
  if (!WITHOUT_IMAGE.includes(name)) return stack;
  const copy = structuredClone(stack) as { resource?: { docker_image?: Record<string, { name: string }> } };
  for (const image of Object.values(copy.resource?.docker_image ?? {}))
    for (const registry of ["", MIRROR])
      if (image.name === registry + DEFAULT_IMAGE.from) image.name = registry + DEFAULT_IMAGE.to;
  return copy as Json;
}
