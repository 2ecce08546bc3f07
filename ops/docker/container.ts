import type { Daemon } from "../../cluster/model";
import { docker } from "./docker";

/** For a slow daemon. */
const SECONDS = 60;

/** A container, as `docker inspect` describes it. */
export interface Container {
  readonly Id: string;
  /** Of its image. */
  readonly Image: string;
  /** With a slash in front. */
  readonly Name: string;
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly ExitCode: number;
    readonly Error: string;
    /** As RFC 3339 has it. */
    readonly StartedAt: string;
    /** `starting`, `healthy` or `unhealthy`; undefined without a health check. */
    readonly Health?: { readonly Status: string };
  };
  readonly RestartCount: number;
  readonly Config: {
    readonly Image: string;
    readonly Hostname: string;
    readonly Cmd: readonly string[] | null;
    readonly Entrypoint: readonly string[] | null;
    readonly Env: readonly string[] | null;
    readonly Healthcheck?: { readonly Test?: readonly string[] };
    readonly Labels: Readonly<Record<string, string>> | null;
  };
  readonly HostConfig: { readonly NetworkMode: string; readonly RestartPolicy: { readonly Name: string } };
  readonly Mounts: readonly {
    readonly Type: string;
    readonly Name?: string;
    readonly Source: string;
    readonly Destination: string;
  }[];
}

/**
 * A container by its name; undefined if the daemon has no such container.
 * @throws when the daemon is unreachable
 */
export async function inspectContainer(
  daemon: Daemon,
  name: string,
  seconds = SECONDS,
): Promise<Container | undefined> {
  return (await inspectContainers(daemon, [name], seconds))[0];
}

/**
 * Those containers, by their names or ids, that the daemon has.
 * @throws when the daemon is unreachable
 */
export async function inspectContainers(
  daemon: Daemon,
  names: readonly string[],
  seconds = SECONDS,
): Promise<Container[]> {
  if (names.length === 0) return [];
  const { ok, output, error } = await docker(daemon).run(["container", "inspect", ...names], { seconds });
  if (!ok && !/no such container/i.test(error)) throw new Error(error);
  return JSON.parse(output || "[]") as Container[];
}

/** A container, as a daemon lists it. */
export interface ListedContainer {
  readonly id: string;
  readonly name: string;
  /** Docker's word: `running`, `exited`. */
  readonly state: string;
  /** The program and its arguments, separated by spaces. */
  readonly command: string;
}

/** All containers of a daemon, stopped ones included; or why it is unreachable. */
export async function listContainers(daemon: Daemon, seconds = SECONDS): Promise<ListedContainer[] | string> {
  const { containers, error } = await list(daemon, seconds);
  return containers ?? error.split("\n").at(-1) ?? "";
}

/** @returns no containers, but the docker CLI's error, if the daemon is unreachable */
async function list(daemon: Daemon, seconds: number): Promise<{ containers?: ListedContainer[]; error: string }> {
  const format = "{{.ID}}\t{{.Names}}\t{{.State}}\t{{.Command}}";
  const { ok, output, error } = await docker(daemon).run(
    ["container", "ls", "--all", "--no-trunc", "--format", format],
    { seconds },
  );
  if (!ok) return { error };
  const lines = output.split("\n").filter((line) => line !== "");
  const containers = lines.map((line) => {
    const [id = "", names = "", state = "", command = ""] = line.split("\t");
    return { id, name: names.split(",")[0] ?? "", state, command };
  });
  return { containers, error };
}

/** What `docker info` says of how a daemon runs containers. */
export interface DaemonInfo {
  readonly ServerVersion: string;
  readonly SecurityOptions: readonly string[] | null;
  readonly MemoryLimit: boolean;
  readonly SwapLimit: boolean;
  readonly CpuCfsQuota: boolean;
  readonly CPUSet: boolean;
}

/** Undefined if the daemon is unreachable. */
export async function daemonInfo(daemon: Daemon, seconds = SECONDS): Promise<DaemonInfo | undefined> {
  const { ok, output } = await docker(daemon).run(["info", "--format", "{{json .}}"], { seconds });
  // The docker CLI may also print its own part alone, with exit code 0.
  const info = ok ? (JSON.parse(output) as Partial<DaemonInfo>) : undefined;
  return info?.ServerVersion ? (info as DaemonInfo) : undefined;
}

/**
 * All containers of a daemon whose commands contain a text, stopped ones included.
 * @throws when the daemon is unreachable
 */
export async function containersWith(daemon: Daemon, text: string, seconds = SECONDS): Promise<Container[]> {
  const { containers, error } = await list(daemon, seconds);
  if (!containers) throw new Error(error);
  const ids = containers.flatMap(({ id, command }) => (command.includes(text) ? [id] : []));
  return inspectContainers(daemon, ids, seconds);
}
