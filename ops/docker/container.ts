import type { Daemon } from "../../cluster/model";
import { docker } from "./docker";

/** For a slow daemon. */
const SECONDS = 60;
const TAR_BLOCK = 512;

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
  readonly HostConfig: {
    readonly NetworkMode: string;
    readonly RestartPolicy: { readonly Name: string };
    /** Volumes and folders, each as `SOURCE:TARGET:MODE`. Mounts of the other syntax are not among them. */
    readonly Binds?: readonly string[] | null;
    readonly LogConfig?: { readonly Config: Readonly<Record<string, string>> | null };
  };
  readonly NetworkSettings?: {
    readonly Networks?: Readonly<Record<string, { readonly IPAMConfig?: { readonly IPv4Address?: string } | null }>>;
  };
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
export async function inspectContainer(daemon: Daemon, name: string): Promise<Container | undefined> {
  return (await inspectContainers(daemon, [name]))[0];
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

/** What an image gives to each of its containers. */
export interface ImageConfig {
  readonly Env?: readonly string[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

/** @throws when the daemon is unreachable, or has no such image */
export async function inspectImage(daemon: Daemon, image: string): Promise<ImageConfig> {
  const { ok, output, error } = await docker(daemon).run(["image", "inspect", "-f", "{{json .Config}}", image], {
    seconds: SECONDS,
  });
  if (!ok) throw new Error(error);
  return (JSON.parse(output) ?? {}) as ImageConfig;
}

/** The id of a network; undefined if the daemon has none of this name. @throws when the daemon is unreachable */
export async function networkId(daemon: Daemon, name: string): Promise<string | undefined> {
  const { ok, output, error } = await docker(daemon).run(["network", "inspect", "-f", "{{.Id}}", name], {
    seconds: SECONDS,
  });
  if (!ok && !/no such network|not found/i.test(error)) throw new Error(error);
  return ok ? output.trim() : undefined;
}

/**
 * The text of a file in a container, which may be stopped; undefined if the container has no such file.
 * @throws when the daemon is unreachable
 */
export async function readFileIn(daemon: Daemon, container: string, file: string): Promise<string | undefined> {
  const { ok, output, error } = await docker(daemon).run(["cp", `${container}:${file}`, "-"], { seconds: SECONDS });
  if (!ok && !/could not find|no such file|not found/i.test(error)) throw new Error(error);
  return ok ? textOfArchive(output) : undefined;
}

/** The text of the one file of a tar archive: its size is in the header, in octal digits. */
function textOfArchive(archive: string): string {
  const bytes = Buffer.from(archive);
  const size = Number.parseInt(bytes.toString("latin1", 124, 136), 8);
  return bytes.toString("utf8", TAR_BLOCK, TAR_BLOCK + size);
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
