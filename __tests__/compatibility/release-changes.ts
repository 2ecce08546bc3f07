import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { version as CDKTF_VERSION } from "cdktf/package.json";
import type { Cluster } from "../../cluster/model";
import { type Json, readStack } from "../../e2e/compatibility/expected";
import { PROJECT } from "../cluster-files";

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

/** Scripts are uploaded from files beside the JSON. Their hashes are pinned by ids-test.ts. */
function asFile({ file, content, ...rest }: Upload): Upload {
  const [, script] = /^<upload (.*)>$/.exec(content ?? "") ?? [];
  if (script === undefined) return content === undefined ? { file, ...rest } : { file, content, ...rest };
  const hash = createHash("sha256").update(readFileSync(join(PROJECT, "container", script)));
  return { file, source: `\${path.module}/${script}`, source_hash: hash.digest("hex") };
}
interface Upload {
  readonly file: string;
  readonly content?: string;
  readonly source?: string;
  readonly source_hash?: string;
}

interface Label {
  readonly label: string;
  readonly value: string;
}

/** Every container has labels of whose it is. */
function ownLabels(id: string, { name, agents, registrators }: Cluster): Label[] {
  const agent = agents.find((each) => each.name === id);
  const registrator = registrators.find(({ host }) => `${host.name}_registrator` === id);
  const [owner, role] = agent
    ? [agent.name, agent.role]
    : registrator
      ? [registrator.agent, "registrator"]
      : [id.replace(/_backups$/, ""), "backups"];
  return [
    { label: "consul-cdktf.agent", value: owner },
    { label: "consul-cdktf.cluster", value: name },
    { label: "consul-cdktf.role", value: role },
  ];
}

/** Options of each log driver of the cases that Terraform ignores where they are not set. No container is replaced. */
const EVERY = "mode max-buffer-size cache-disabled cache-max-size cache-max-file cache-compress";
const LOG_OPTIONS: Readonly<Record<string, string>> = {
  "json-file": `max-size max-file compress labels labels-regex env env-regex tag ${EVERY}`,
  local: `max-size max-file compress ${EVERY}`,
  syslog: `labels labels-regex env env-regex tag syslog-address syslog-facility syslog-format syslog-tls-ca-cert syslog-tls-cert syslog-tls-key syslog-tls-skip-verify ${EVERY}`,
};

interface Container {
  labels: Label[];
  upload?: Upload[];
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
 * A stack of the last release, with what the next one changes: uploaded scripts, labels, the provider's version, names
 * of default images, and log options that containers ignore where they are not set. The version of CDKTF is that with
 * which the tests run. No resource has it. Stacks with `cloud` have a variable.
 */
export function asReleasedNext(name: string, stackName: string, cluster: Cluster): Json {
  const stack = readStack(name, stackName, {}) as unknown as Stack;
  stack["//"].metadata.version = CDKTF_VERSION;
  const provider = stack.terraform.required_providers?.docker;
  if (provider?.version === PROVIDER.from) provider.version = PROVIDER.to;
  if (stack.terraform.cloud) stack.variable = LOCAL_OPERATIONS;
  for (const [id, container] of Object.entries(stack.resource?.docker_container ?? {})) {
    container.labels = [...container.labels, ...ownLabels(id, cluster)].sort((a, b) => (a.label < b.label ? -1 : 1));
    if (container.upload) container.upload = container.upload.map(asFile);
    const { log_driver, log_opts, lifecycle } = container;
    if (!log_opts) continue;
    const ignored = (LOG_OPTIONS[log_driver] ?? "").split(" ").filter((option) => !(option in log_opts));
    container.lifecycle = { ...lifecycle, ignore_changes: ignored.map((option) => `log_opts["${option}"]`) };
  }
  if (WITHOUT_IMAGE.includes(name))
    for (const image of Object.values(stack.resource?.docker_image ?? {}))
      for (const registry of ["", MIRROR])
        if (image.name === registry + DEFAULT_IMAGE.from) image.name = registry + DEFAULT_IMAGE.to;
  return stack as unknown as Json;
}
