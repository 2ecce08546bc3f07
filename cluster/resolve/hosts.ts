import { canonical } from "../../consul/address";
import type { ParsedClusterFile } from "../file/schema";
import type { HostDescription } from "../model";
import type { Violation } from "../problem";
import { daemonOf } from "./daemon";

/** The file's hosts, by name. A host without a daemon is a violation, and is left out. */
export function resolveHosts(file: ParsedClusterFile, violations: Violation[]): Map<string, HostDescription> {
  const hosts = new Map<string, HostDescription>();
  for (const [name, entry] of Object.entries(file.hosts)) {
    const { address: written, group, daemon = file.daemon } = typeof entry === "string" ? { address: entry } : entry;
    const address = canonical(written);
    if (daemon) {
      hosts.set(name, { name, address, group, daemon: daemonOf(daemon, { name, address }) });
    } else {
      violations.push({
        code: "missing-key",
        path: ["hosts", name],
        message: `host "${name}" has no Docker daemon`,
        hint: "give the host a `daemon:`, or all hosts one, as in `daemon: ssh://root@{address}`",
      });
    }
  }
  return hosts;
}
