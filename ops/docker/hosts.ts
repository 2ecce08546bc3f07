import type { HostDescription } from "../../cluster/model";
import { parallel } from "../parallel";
import { run } from "../process";
import { type ListedContainer, listContainers } from "./container";
import { docker } from "./docker";

/** Each is a docker CLI and an ssh. */
const AT_ONCE = 64;
/** By ssh 0.3 s, but 6 s from a machine of two cores under a load of 17 (measured): a slow host must not count as unreachable. */
const SECONDS = 20;

/** A daemon's version, or why the daemon is unreachable. */
export type Reachability = { readonly version: string } | { readonly why: string };

/** For commands that only inspect: they name an unreachable host within 5 s of their start, and show the rest. */
const SHORT_SECONDS = 3;
/**
 * An answer by ssh may take as long as this many starts of the docker CLI. One start takes 0.01 s on an idle machine,
 * and 0.07 s at a load of 16 on two processors.
 */
const STARTS = 150;
const MOST_SECONDS = 18;
/** A measurement is valid for this time. A hundred logs that are opened at once would otherwise measure each other. */
const VALID_MS = 5000;
let measurement: { readonly seconds: Promise<number>; readonly until: number } | undefined;

/**
 * Seconds after which a daemon counts as unreachable for commands that only inspect: 3, and up to 18 while this machine
 * is busy (at a load of 15, two processors needed more than three for what takes 0.3). It measures starts of the docker
 * CLI, because the load average still includes what ended a minute ago.
 */
export function adaptiveTimeoutSeconds(): Promise<number> {
  if (!measurement || measurement.until < Date.now())
    measurement = { seconds: measuredTimeout(), until: Date.now() + VALID_MS };
  return measurement.seconds;
}

async function measuredTimeout(): Promise<number> {
  // The first start may have to read the program from the disk.
  const starts = [await secondsToStart(), await secondsToStart()];
  return adaptiveTimeoutFor(Math.min(...starts));
}

/** @param start seconds that a start of the docker CLI takes */
export function adaptiveTimeoutFor(start: number): number {
  return Math.round(Math.min(MOST_SECONDS, Math.max(SHORT_SECONDS, STARTS * start)));
}

async function secondsToStart(): Promise<number> {
  const begin = performance.now();
  // Without a docker CLI, each host reports that.
  await run("docker", ["--version"], { env: process.env, seconds: 1 }).catch(() => undefined);
  return (performance.now() - begin) / 1000;
}

/** @param seconds after which the daemon counts as unreachable */
export async function pingDaemon({ daemon }: HostDescription, seconds: number): Promise<Reachability> {
  const { ok, output, error } = await docker(daemon).run(["version", "--format", "{{.Server.Version}}"], { seconds });
  return ok ? { version: output.trim() } : { why: error.split("\n").at(-1) ?? "" };
}

/** The containers of each host, by its name; or why its daemon is unreachable for 20 s. */
export async function hostContainers(
  hosts: readonly HostDescription[],
): Promise<Map<string, readonly ListedContainer[] | string>> {
  return new Map(
    await parallel(hosts, AT_ONCE, async ({ name, daemon }) => [name, await listContainers(daemon, SECONDS)] as const),
  );
}

/** Hosts whose daemons are unreachable for 20 s: the reasons, by the hosts' names. */
export async function unreachableHosts(hosts: readonly HostDescription[]): Promise<Map<string, string>> {
  const answers = await parallel(hosts, AT_ONCE, async (host) => ({
    name: host.name,
    ...(await pingDaemon(host, SECONDS)),
  }));
  return new Map(answers.flatMap((answer) => ("why" in answer ? [[answer.name, answer.why]] : [])));
}
