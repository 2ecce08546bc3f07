import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { BackendEntry } from "../../cluster/file/schema";
import { backendOf } from "../../cluster/resolve/state-backend";
import { refuseVariables } from "../../cluster/terraform-variables";
import { backendBlock } from "../../constructs/backend-block";
import { STACK_JSON } from "../../consul/contract";
import { parallel } from "../parallel";
import { withTempDir } from "../temp-dir";
import { stacksAtOnce } from "./parallelism";
import { OUTPUT, type Stack } from "./synth";
import { terraform } from "./terraform";

/** The Terraform state of a stack. Never print it: attributes contain everything that a resource has. */
export interface StackState {
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly resources: readonly StateResource[];
  /** Undefined for a stack that was never deployed. */
  readonly identity?: StateIdentity;
}

/** What tells a version of a Terraform state from all others. */
export interface StateIdentity {
  readonly lineage: string;
  readonly serial: number;
}

export interface StateResource {
  /** As Terraform writes it: `docker_container.consul-server1`, `docker_container.consul-server1[0]`. */
  readonly address: string;
  readonly mode: "managed" | "data";
  readonly type: string;
  /** Its name in Terraform: an agent's name for its container, image and readiness check. */
  readonly name: string;
  /** Of an instance, with `count` or `for_each`. */
  readonly index?: number | string;
  /** Alias of its provider, `consul-server1_host`; undefined for a provider without one. */
  readonly provider?: string;
  /** Its creation failed, and the next deploy creates it again. */
  readonly tainted: boolean;
  /** It was replaced, and could not be destroyed. */
  readonly deposed: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** The ids of the containers that resources are. */
export const containerIds = (resources: readonly StateResource[]): Set<unknown> =>
  new Set(resources.filter(({ type }) => type === "docker_container").map(({ attributes }) => attributes.id));

/**
 * A stack's Terraform state, from any backend. It connects to no host. Empty for a stack that was never deployed.
 * @throws when the backend is unreachable
 */
export async function readState(folder: string, signal?: AbortSignal): Promise<StackState> {
  return parseState(await pullText(folder, signal));
}

/**
 * The text of the Terraform state that a folder's backend has; empty if there is none.
 * @throws when the backend is unreachable
 */
export async function pullText(folder: string, signal?: AbortSignal): Promise<string> {
  // Not `show -json`, which starts a provider process, and a stack that is known by its backend has no provider.
  const { exitCode, output, error } = await terraform(folder, ["state", "pull"], signal);
  if (exitCode !== 0) throw new Error(`the Terraform state cannot be read in ${folder}\n${error}`);
  return output;
}

/**
 * A stack's Terraform state, by its backend alone: for a stack that is no longer synthesized, and for commands that must
 * not write to synthesized stacks.
 * @param signal ends it
 * @throws when the backend is unreachable
 */
export async function readStateByBackend(
  backend: BackendEntry | undefined,
  stack: string,
  signal?: AbortSignal,
): Promise<StackState> {
  const { type, arguments: given } = backendOf(backend, stack);
  refuseVariables(process.env, type);
  if (type === "local") return readStateFile(resolve(String(given.path)));
  return withBackendFolder(backend, stack, (folder) => readState(folder, signal));
}

/** Gives a folder, in which Terraform has a stack's backend and nothing else, to some work. It goes afterwards. */
export function withBackendFolder<Result>(
  backend: BackendEntry | undefined,
  stack: string,
  work: (folder: string) => Promise<Result>,
): Promise<Result> {
  const stacks = join(OUTPUT, "stacks");
  mkdirSync(stacks, { recursive: true });
  return withTempDir(join(stacks, ".former-"), async (folder) => {
    writeFileSync(join(folder, STACK_JSON), JSON.stringify(backendBlock(backend, stack)));
    return work(folder);
  });
}

/** Reads a local state file. Terraform would do no more, but takes a second to start. */
export async function readStateFile(file: string): Promise<StackState> {
  for (let tenths = 0; ; tenths++) {
    if (!existsSync(file)) return parseState("");
    const text = readFileSync(file, "utf8");
    try {
      if (text !== "") return parseState(text);
    } catch (error) {
      if (!(error instanceof SyntaxError) || tenths === 10) throw error;
    }
    // Terraform is writing it.
    if (tenths === 10) return parseState("");
    await new Promise((resume) => setTimeout(resume, 100));
  }
}

/** All stacks' Terraform states, by the stacks' names. */
export const readStates = async (stacks: readonly Stack[]): Promise<Map<string, StackState>> =>
  new Map(
    await parallel(stacks, stacksAtOnce(stacks), async ({ name, folder }) => [name, await readState(folder)] as const),
  );

/** The resources of all stacks' Terraform states. */
export const readResources = async (stacks: readonly Stack[]): Promise<StateResource[]> =>
  resourcesOf(await readStates(stacks));

export const resourcesOf = (states: ReadonlyMap<string, StackState>): StateResource[] =>
  [...states.values()].flatMap(({ resources }) => resources);

/** Version 4 of the format, which Terraform writes since 0.12 and OpenTofu too. */
interface RawState {
  readonly version: number;
  readonly lineage?: string;
  readonly serial?: number;
  readonly outputs?: Record<string, { readonly value: unknown }>;
  readonly resources?: readonly {
    readonly module?: string;
    readonly mode: "managed" | "data";
    readonly type: string;
    readonly name: string;
    readonly provider: string;
    readonly instances: readonly {
      readonly index_key?: number | string;
      readonly status?: string;
      readonly deposed?: string;
      readonly attributes?: Record<string, unknown>;
    }[];
  }[];
}

export function parseState(text: string): StackState {
  if (text.trim() === "") return { outputs: {}, resources: [] };
  const { version, lineage = "", serial = 0, outputs = {}, resources = [] } = JSON.parse(text) as RawState;
  if (version !== 4) throw new Error(`the Terraform state has format ${version}, and this program knows 4`);
  return {
    // The backend pg has an empty lineage for a stack that was never deployed.
    identity: lineage === "" ? undefined : { lineage, serial },
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value])),
    resources: resources.flatMap(({ module, mode, type, name, provider, instances }) =>
      instances.map(({ index_key: index, status, deposed, attributes = {} }) => ({
        address: `${module ? `${module}.` : ""}${mode === "data" ? "data." : ""}${type}.${name}${index === undefined ? "" : `[${JSON.stringify(index)}]`}`,
        mode,
        type,
        name,
        index,
        provider: /\]\.([^.]+)$/.exec(provider)?.[1],
        tainted: status === "tainted",
        deposed: deposed !== undefined,
        attributes,
      })),
    ),
  };
}
