import { readFileSync } from "node:fs";
import { join } from "node:path";
import { App } from "cdktf";
import type { Cluster } from "../cluster/model";
import { ConsulCluster } from "../constructs/consul-cluster";
import { folder, load } from "./cluster-files";

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
  readonly [key: string]: unknown;
}

export interface DataJson {
  readonly provisioner: readonly { "local-exec": { command: string; environment: Record<string, string> } }[];
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

/** For snapshots that are read: a shell script stands there by its name, for its bytes are pinned elsewhere. */
export function withScriptNames<T>(value: T): T {
  return JSON.parse(
    JSON.stringify(value, (_, item) => (typeof item === "string" && /^#/.test(item) ? scriptNames(item) : item)),
  );
}

/** Of a script, and those that stand in front of it: `<docker.sh run-step.sh>`. */
const scriptNames = (text: string): string =>
  `<${[...text.matchAll(/^# ([a-z-]+\.sh)/gm)].map(([, name]) => name).join(" ")}>`;

/** The stacks of a cluster, without going by the disk: for tests that make hundreds. */
export function stacksOf(cluster: Cluster): Synthesized["stacks"] {
  const app = new App({ outdir: OUTDIR, stackTraces: false });
  const { stacks } = new ConsulCluster(app, cluster);
  return Object.fromEntries(
    [...stacks].map(([name, stack]) => [name, JSON.parse(JSON.stringify(stack.toTerraform()))]),
  );
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
export const flagValues = ({ command }: ContainerJson, flag: string): string[] =>
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
