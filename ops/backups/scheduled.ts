import type { Cluster } from "../../cluster/model";
import { backupsContainer, PATHS } from "../../consul/contract";
import { docker } from "../docker/docker";
import { parallel } from "../parallel";
import { serversOf } from "./servers";

/** What the container of scheduled snapshots beside a server tells. */
export interface ScheduledBackups {
  /** The server's name. */
  readonly server: string;
  readonly host: string;
  /**
   * When the newest snapshot was taken, in seconds since 1970; 0 if there is none, undefined if the container is
   * unreachable.
   */
  readonly newest?: number;
  /** Whether the last snapshot that was due failed, or the container is unreachable. */
  readonly failed: boolean;
}

const PARALLEL = 16;

/** Prints the exit code of Docker's health check, then a line for each snapshot. */
const SCRIPT = `sh ${PATHS.backupsScript} health >/dev/null 2>&1; echo $?; ls ${PATHS.backups}`;

/** Looks at the names of snapshots alone, so that it takes no longer with many of them. */
export const scheduledBackups = (cluster: Cluster, seconds: number): Promise<ScheduledBackups[]> =>
  parallel(cluster.backups ? serversOf(cluster) : [], PARALLEL, async ({ name: server, host, container }) => {
    const command = ["exec", backupsContainer(container), "sh", "-c", SCRIPT];
    const { ok, output } = await docker(host.daemon).run(command, { seconds });
    const [exitCode, ...names] = output.split("\n");
    const newest = ok ? Math.max(0, ...names.flatMap((name) => takenAt(name) ?? [])) : undefined;
    return { server, host: host.name, newest, failed: !ok || exitCode !== "0" };
  });

/** When a scheduled snapshot was taken, by its name: 2026-11-25T010516Z.snap. */
export function takenAt(name: string): number | undefined {
  const [, day, hour, minute, second] = /^(\d{4}-\d\d-\d\d)T(\d\d)(\d\d)(\d\d)Z\.snap$/.exec(name) ?? [];
  return day === undefined ? undefined : Date.parse(`${day}T${hour}:${minute}:${second}Z`) / 1000;
}
