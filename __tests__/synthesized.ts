import { readFileSync } from "node:fs";
import { join } from "node:path";
import { App, Testing } from "cdktf";
import { version as CDKTF_VERSION } from "cdktf/package.json";
import type { Cluster } from "../cluster/model";
import { ConsulCluster } from "../constructs/consul-cluster";
import { REQUEST_VARIABLE, REQUEST_VERSION, type StepRequest } from "../rollout/request";
import { folder, load } from "./cluster-files";

export interface ProvisionerJson {
  readonly "local-exec": {
    readonly interpreter: readonly string[];
    readonly command: string;
    readonly environment: Readonly<Record<string, string>>;
    readonly when?: string;
  };
}

export interface ContainerJson {
  readonly name: string;
  readonly hostname: string;
  readonly image: string;
  readonly provider: string;
  readonly command: readonly string[];
  readonly network_mode: string;
  readonly restart: string;
  readonly env?: readonly string[];
  readonly labels: readonly { label: string; value: string }[];
  readonly ports?: readonly { internal: number; external: number; ip: string; protocol: string }[];
  readonly upload: readonly { file: string; content: string }[];
  readonly volumes: readonly { container_path: string; volume_name?: string; host_path?: string }[];
  readonly provisioner?: readonly ProvisionerJson[];
  readonly [key: string]: unknown;
}

export interface DataJson {
  readonly provisioner: readonly ProvisionerJson[];
  readonly triggers_replace: Record<string, string>;
  readonly depends_on?: readonly string[];
}

/** A stack as Terraform reads it. */
export interface StackJson {
  readonly locals?: Record<string, string>;
  readonly output: Record<string, { value: Record<string, string> }>;
  readonly provider: { docker: Record<string, unknown>[] };
  readonly resource: {
    readonly docker_container: Record<string, ContainerJson>;
    readonly docker_image: Record<string, { name: string; provider: string; keep_locally: boolean }>;
    readonly docker_network?: Record<string, { name: string; provider: string }>;
    readonly terraform_data: Record<string, DataJson>;
  };
  readonly terraform: {
    backend?: Record<string, Record<string, unknown>>;
    cloud?: Record<string, unknown>;
    [key: string]: unknown;
  };
}

export interface Synthesized {
  /** The folder with the files. */
  readonly outdir: string;
  readonly stacks: Record<string, StackJson>;
  /** The same, byte for byte. */
  readonly texts: Record<string, string>;
  readonly manifest: {
    stacks: Record<string, { annotations: { level: string; message: string }[]; dependencies: string[] }>;
  };
}

/**
 * For snapshots that are read: the hash of a shell script is left out, because its bytes are pinned elsewhere, a request
 * is parsed, and CDKTF's own version has no number.
 */
export function readable<T>(value: T): T {
  return JSON.parse(
    JSON.stringify(value, (key, item) => {
      if (key === "version" && item === CDKTF_VERSION) return "<CDKTF's version>";
      if (key === REQUEST_VARIABLE) return JSON.parse(item.replace(EXPRESSION, (hole: string) => JSON.stringify(hole)));
      return key === "source_hash" && /^[0-9a-f]{64}$/.test(item) ? "<SHA-256>" : item;
    }),
  );
}
const EXPRESSION = /(?<!\$)\$\{.+?\)\}/g;

/** A container that is destroyed, as its provisioner's expressions read it from Terraform's state. */
type Destroyed = Pick<ContainerJson, "name" | "command">;

const OWN_NAME = "${jsonencode(self.name)}";
const OWN_NODE =
  '${jsonencode(one([for word in self.command : trimprefix(word, "-node=") if startswith(word, "-node=")]))}';

/** What Terraform makes of a request's text. */
export function evaluatedRequest(text: string, self?: Destroyed): string {
  const own = (hole: string): string | undefined => {
    if (hole !== OWN_NAME && hole !== OWN_NODE) return undefined;
    if (!self) throw new Error("only a container that is destroyed has names of its own");
    return JSON.stringify(rendered(hole === OWN_NAME ? self.name : flagValues(self, "-node").join()));
  };
  return text
    .split(EXPRESSIONS)
    .map((part) => own(part) ?? rendered(part))
    .join("");
}
const EXPRESSIONS = /((?<!\$)\$\{jsonencode\(.+?\)\})/;

/**
 * What a resource's provisioner asks of the rollout's program, as Terraform evaluates it.
 * @param step the kind of request that is expected
 * @param destroyed of a container's pre-stop check: the container that runs, if its successor has other names
 */
export function requestOf<Step extends StepRequest["step"]>(
  step: Step,
  resource: { readonly provisioner?: readonly ProvisionerJson[] } | undefined,
  destroyed?: Destroyed,
): Extract<StepRequest, { step: Step }> {
  const provisioners = resource?.provisioner ?? [];
  const [provisioner] = provisioners;
  if (!provisioner || provisioners.length > 1) throw new Error(`the resource has ${provisioners.length} provisioners`);
  const self = destroyed ?? ("command" in (resource ?? {}) ? (resource as ContainerJson) : undefined);
  const { version, ...request } = JSON.parse(
    evaluatedRequest(provisioner["local-exec"].environment[REQUEST_VARIABLE] ?? "", self),
  );
  if (version !== REQUEST_VERSION) throw new Error(`the request has version ${version}`);
  if (request.step !== step) throw new Error(`the request is for the step ${request.step}`);
  return request;
}

/** The stacks of a cluster, without going by the disk: for tests that make hundreds. */
export function stacksOf(cluster: Cluster): Synthesized["stacks"] {
  const app = new App({ outdir: OUTDIR, stackTraces: false });
  const { stacks } = new ConsulCluster(app, cluster);
  return Object.fromEntries([...stacks].map(([name, stack]) => [name, JSON.parse(Testing.synth(stack))]));
}
const OUTDIR = folder();

/** What `app.synth()` writes for the constructs that are made in the app. */
export function synthesize(build: (app: App) => void): Synthesized {
  const outdir = folder();
  const app = new App({ outdir, stackTraces: false });
  build(app);
  app.synth();
  const read = (file: string) => readFileSync(join(outdir, file), "utf8");
  const manifest = JSON.parse(read("manifest.json"));
  const texts = Object.fromEntries(
    Object.keys(manifest.stacks).map((name) => [name, read(`stacks/${name}/cdk.tf.json`)]),
  );
  return {
    outdir,
    manifest,
    texts,
    stacks: Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, JSON.parse(text)])),
  };
}

export const synthesizeCluster = (cluster: Cluster): Synthesized =>
  synthesize((app) => new ConsulCluster(app, cluster));

export const synthesizeText = (text: string): Synthesized => synthesizeCluster(load(text));

/** The containers of all stacks, by their Terraform ids. */
export const containersOf = ({ stacks }: Pick<Synthesized, "stacks">): Record<string, ContainerJson> =>
  Object.assign({}, ...Object.values(stacks).map(({ resource }) => resource.docker_container));

export function stackOf({ stacks }: Pick<Synthesized, "stacks">, name: string): StackJson {
  const stack = stacks[name];
  if (!stack) throw new Error(`there is no stack ${name}`);
  return stack;
}

/** The container of one agent. */
export function containerOf(synthesized: Synthesized, agent: string): ContainerJson {
  const container = containersOf(synthesized)[agent];
  if (!container) throw new Error(`there is no container ${agent}`);
  return container;
}

/** Values of a flag that may be given more than once: `-retry-join`. */
export const flagValues = ({ command }: Pick<ContainerJson, "command">, flag: string): string[] =>
  command.filter((word) => word.startsWith(`${flag}=`)).map((word) => word.slice(flag.length + 1));

/** An agent's configuration file, as the container will have it. */
export function agentConfigOf({ upload }: ContainerJson): Record<string, unknown> {
  const content = upload.find(({ file }) => file === "/consul/config/agent.json")?.content ?? "";
  return JSON.parse(rendered(content));
}

/** What Terraform makes of a string that holds no expression. */
export function rendered(template: string): string {
  const expression = /(?<!\$)\$\{|(?<!%)%\{/.exec(template);
  if (expression)
    throw new Error(
      `Terraform would take this for an expression: ${template.slice(expression.index, expression.index + 40)}`,
    );
  return template.replace(/([$%])\1\{/g, "$1{");
}
