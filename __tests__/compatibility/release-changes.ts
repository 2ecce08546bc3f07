import { version as CDKTF_VERSION } from "cdktf/package.json";
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

/** The provider's version is a release that was tried, and moves with releases. It is no argument of a container. */
const PROVIDER = { from: "~> 4.5", to: "4.6.0" } as const;

/** With `cloud`, a plan on a server's worker fails. A variable is no resource. */
const LOCAL_OPERATIONS = {
  TFC_RUN_ID: {
    default: "",
    description: "Set by HCP Terraform on its workers, where this stack cannot run.",
    type: "string",
    validation: [{ condition: '${var.TFC_RUN_ID == ""}' }],
  },
} as const;

/** Options of each log driver of the cases that Terraform ignores where they are not set. No container is replaced. */
const EVERY = "mode max-buffer-size cache-disabled cache-max-size cache-max-file cache-compress";
const LOG_OPTIONS: Readonly<Record<string, string>> = {
  "json-file": `max-size max-file compress labels labels-regex env env-regex tag ${EVERY}`,
  local: `max-size max-file compress ${EVERY}`,
  syslog: `labels labels-regex env env-regex tag syslog-address syslog-facility syslog-format syslog-tls-ca-cert syslog-tls-cert syslog-tls-key syslog-tls-skip-verify ${EVERY}`,
};

interface Container {
  readonly log_driver: string;
  readonly log_opts?: Readonly<Record<string, string>>;
  lifecycle?: object;
}

interface Stack {
  readonly "//": { readonly metadata: { version: string } };
  readonly terraform: {
    readonly required_providers?: { readonly docker?: { version: string } };
    readonly cloud?: object;
  };
  variable?: object;
  readonly resource?: {
    readonly docker_image?: Readonly<Record<string, { name: string }>>;
    readonly docker_container?: Readonly<Record<string, Container>>;
  };
}

/**
 * A stack of the last release, with what the next one changes: the provider's version, and names of default images. The
 * version of CDKTF is that with which the tests run. No resource has it. Stacks with `cloud` have a variable. Containers ignore log
 * options that are not set.
 */
export function asReleasedNext(name: string, stack: Json): Json {
  const copy = structuredClone(stack) as unknown as Stack;
  copy["//"].metadata.version = CDKTF_VERSION;
  const provider = copy.terraform.required_providers?.docker;
  if (provider?.version === PROVIDER.from) provider.version = PROVIDER.to;
  if (copy.terraform.cloud) copy.variable = LOCAL_OPERATIONS;
  for (const container of Object.values(copy.resource?.docker_container ?? {})) {
    const { log_driver, log_opts, lifecycle } = container;
    if (!log_opts) continue;
    const ignored = (LOG_OPTIONS[log_driver] ?? "").split(" ").filter((option) => !(option in log_opts));
    container.lifecycle = { ...lifecycle, ignore_changes: ignored.map((option) => `log_opts["${option}"]`) };
  }
  if (!WITHOUT_IMAGE.includes(name)) return copy as unknown as Json;
  for (const image of Object.values(copy.resource?.docker_image ?? {}))
    for (const registry of ["", MIRROR])
      if (image.name === registry + DEFAULT_IMAGE.from) image.name = registry + DEFAULT_IMAGE.to;
  return copy as unknown as Json;
}
