import type { HostDescription } from "../../cluster/cluster";
import { parallel } from "../parallel";
import { docker } from "./docker";

/** A docker CLI each, and an ssh. */
const AT_ONCE = 64;
/** By ssh 0.3 s, but 6 s from a machine of two cores under a load of 17 (measured): a host that is only slow must not count as gone. */
const SECONDS = 20;

/** Hosts whose daemon does not answer within 20 s, and why, by the hosts' names. */
export async function unreachable(hosts: readonly HostDescription[]): Promise<Map<string, string>> {
  const answers = await parallel(hosts, AT_ONCE, ({ daemon }) => docker(daemon, ["version", "--format", "{{.Server.Version}}"], SECONDS));
  return new Map(hosts.flatMap(({ name }, index) => (answers[index]?.ok ? [] : [[name, answers[index]?.error.split("\n").at(-1) ?? ""]])));
}
