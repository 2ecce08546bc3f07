/** The version of Consul that this release's lists of kinds and keys are of, as messages name it. */
const KNOWN = { major: 1, minor: 22 } as const;
export const KNOWN_CONSUL = `Consul ${KNOWN.major}.${KNOWN.minor}`;

/**
 * The kinds of config entries that it takes from its users (AllConfigEntryKinds, agent/structs/config_entry.go, without
 * the one that it writes itself). Its keys of services and checks: cluster/file/service-schema.ts; of its
 * configuration, and its flags: cluster/known-config.ts.
 */
export const ENTRY_KINDS: readonly string[] = [
  "api-gateway",
  "control-plane-request-limit",
  "exported-services",
  "file-system-certificate",
  "http-route",
  "ingress-gateway",
  "inline-certificate",
  "jwt-provider",
  "mesh",
  "proxy-defaults",
  "sameness-group",
  "service-defaults",
  "service-intentions",
  "service-resolver",
  "service-router",
  "service-splitter",
  "tcp-route",
  "terminating-gateway",
];

/** A version of Consul at the start of a tag: `:1.22.7`, `:v2.0.1-ent@sha256:...`. */
const VERSION_TAG = /:v?(\d+)\.(\d+)(?!\d)[^:/@]*(?:@[^@/]*)?$/;

/**
 * How the Consul version in an image's tag compares to the lists. `unknown` is an image without a version in its tag:
 * `latest`, or a digest alone.
 */
export function comparedToLists(image: string): "newer" | "listed" | "older" | "unknown" {
  const [, major, minor] = VERSION_TAG.exec(image) ?? [];
  if (major === undefined) return "unknown";
  const difference = Number(major) - KNOWN.major || Number(minor) - KNOWN.minor;
  if (difference === 0) return "listed";
  return difference > 0 ? "newer" : "older";
}

/** Whether an image is Consul Enterprise's, by HashiCorp's names: `hashicorp/consul-enterprise:1.22.7-ent`. */
export const isEnterprise = (image: string): boolean => /consul-enterprise|:[^/@]*(-|\+)ent\b/.test(image);
