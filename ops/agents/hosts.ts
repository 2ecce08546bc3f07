import { availableParallelism, loadavg } from "node:os";
import type { HostDescription } from "../../cluster/cluster";
import { parallel } from "../parallel";
import { docker } from "./docker";

/** A docker CLI each, and an ssh. */
const AT_ONCE = 64;
/** By ssh 0.3 s, but 6 s from a machine of two cores under a load of 17 (measured): a host that is only slow must not count as gone. */
const SECONDS = 20;

/** A daemon's version, or why it does not answer. */
export type Answering = { readonly version: string } | { readonly why: string };

/** Of whoever only looks, and wants to see the rest: a host that does not answer is named within 5 s of a command's start. */
const GLANCE_SECONDS = 3;

/**
 * Seconds after which a daemon counts as gone for whoever only looks: three, unless this machine is too busy to ask (at a load of 15, two processors took
 * more than three for what takes 0.3).
 */
export function glanceSeconds(load = (loadavg()[0] ?? 0) / availableParallelism()): number {
  return Math.round(GLANCE_SECONDS * Math.min(6, Math.max(1, load / 2)));
}

/** @param seconds after which a daemon that does not answer counts as gone */
export async function answering({ daemon }: HostDescription, seconds: number): Promise<Answering> {
  const { ok, output, error } = await docker(daemon, ["version", "--format", "{{.Server.Version}}"], seconds);
  return ok ? { version: output.trim() } : { why: error.split("\n").at(-1) ?? "" };
}

/** Hosts whose daemon does not answer within 20 s, and why, by the hosts' names. */
export async function unreachable(hosts: readonly HostDescription[]): Promise<Map<string, string>> {
  const answers = await parallel(hosts, AT_ONCE, async (host) => ({ name: host.name, ...(await answering(host, SECONDS)) }));
  return new Map(answers.flatMap((answer) => ("why" in answer ? [[answer.name, answer.why]] : [])));
}
