import { execFile } from "node:child_process";
import type { HostDescription } from "../../cluster/model";
import { parallel } from "../parallel";
import { docker } from "./docker";

/** A docker CLI each, and an ssh. */
const AT_ONCE = 64;
/** By ssh 0.3 s, but 6 s from a machine of two cores under a load of 17 (measured): a host that is only slow must not count as gone. */
const SECONDS = 20;

/** A daemon's version, or why it does not answer. */
export type Reachability = { readonly version: string } | { readonly why: string };

/** Of whoever only looks, and wants to see the rest: a host that does not answer is named within 5 s of a command's start. */
const GLANCE_SECONDS = 3;

/** As many starts of the docker CLI as an answer by ssh may take: one start takes 0.01 s where nothing else runs, 0.07 s at a load of 16 on two processors. */
const GLANCE_STARTS = 150;
const LONGEST_GLANCE_SECONDS = 18;
/** One measurement serves all who ask within this time: a hundred logs that are opened at once would measure each other. */
const GLANCE_KEPT_MS = 5000;
let glance: { readonly seconds: Promise<number>; readonly until: number } | undefined;

/**
 * Seconds after which a daemon counts as gone for whoever only looks: 3, and up to 18 where this machine is too busy to ask (at a load of 15, two
 * processors took more than three for what takes 0.3). Found out by starting the docker CLI: the load average still tells of what ended a minute ago.
 */
export function adaptiveTimeoutSeconds(): Promise<number> {
  if (!glance || glance.until < Date.now()) glance = { seconds: measuredGlance(), until: Date.now() + GLANCE_KEPT_MS };
  return glance.seconds;
}

async function measuredGlance(): Promise<number> {
  // The first start may have to read the program from the disk.
  const starts = [await secondsToStart(), await secondsToStart()];
  return adaptiveTimeoutFor(Math.min(...starts));
}

/** @param start seconds that a start of the docker CLI takes */
export function adaptiveTimeoutFor(start: number): number {
  return Math.round(Math.min(LONGEST_GLANCE_SECONDS, Math.max(GLANCE_SECONDS, GLANCE_STARTS * start)));
}

async function secondsToStart(): Promise<number> {
  const begun = performance.now();
  await new Promise<void>((done) => execFile("docker", ["--version"], { timeout: 1000 }, () => done()));
  return (performance.now() - begun) / 1000;
}

/** @param seconds after which a daemon that does not answer counts as gone */
export async function pingDaemon({ daemon }: HostDescription, seconds: number): Promise<Reachability> {
  const { ok, output, error } = await docker(daemon, ["version", "--format", "{{.Server.Version}}"], seconds);
  return ok ? { version: output.trim() } : { why: error.split("\n").at(-1) ?? "" };
}

/** Hosts whose daemon does not answer within 20 s, and why, by the hosts' names. */
export async function unreachableHosts(hosts: readonly HostDescription[]): Promise<Map<string, string>> {
  const answers = await parallel(hosts, AT_ONCE, async (host) => ({
    name: host.name,
    ...(await pingDaemon(host, SECONDS)),
  }));
  return new Map(answers.flatMap((answer) => ("why" in answer ? [[answer.name, answer.why]] : [])));
}
