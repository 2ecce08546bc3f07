import type { Daemon } from "../../cluster/daemon";
import { docker } from "./docker";

/** For a daemon that is slow, not one that is gone. */
const SECONDS = 60;

/** A container, as `docker inspect` describes it. */
export interface Container {
  readonly Id: string;
  /** Of its image. */
  readonly Image: string;
  /** With a slash in front. */
  readonly Name: string;
  readonly State: { readonly Status: string; readonly Running: boolean; readonly ExitCode: number; readonly Error: string };
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
  readonly Mounts: readonly { readonly Type: string; readonly Name?: string; readonly Source: string; readonly Destination: string }[];
}

/**
 * A container by its name; undefined when the daemon has none.
 * @throws when the daemon does not answer
 */
export async function inspectContainer(daemon: Daemon, name: string): Promise<Container | undefined> {
  const { ok, output, error } = await docker(daemon, ["container", "inspect", name], SECONDS);
  if (ok) return (JSON.parse(output) as Container[])[0];
  if (/no such container/i.test(error)) return undefined;
  throw new Error(error);
}

/**
 * All containers of a daemon, those that do not run included.
 * @throws when the daemon does not answer
 */
export async function listContainers(daemon: Daemon): Promise<Container[]> {
  const { ok, output, error } = await docker(daemon, ["container", "ls", "--all", "--quiet", "--no-trunc"], SECONDS);
  if (!ok) throw new Error(error);
  const ids = output.split("\n").filter(Boolean);
  if (ids.length === 0) return [];
  // One that goes meanwhile is an error, and the rest an answer.
  const inspected = await docker(daemon, ["container", "inspect", ...ids], SECONDS);
  return JSON.parse(inspected.output || "[]") as Container[];
}
