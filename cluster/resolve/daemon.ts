import { bracketed } from "../../consul/address";
import type { DaemonEntry } from "../file/schema";
import type { Daemon } from "../model";
import { DEFAULTS } from "./defaults";

/** Names that stand for a host's own values in a daemon's URL, in braces. */
export const PLACEHOLDERS: readonly string[] = ["address", "host"];

/** Reads a daemon's URL, with `{address}` and `{host}` replaced by the host's. */
export function daemonOf(entry: DaemonEntry, host: { name: string; address: string }): Daemon {
  const { url: template, certs } = typeof entry === "string" ? { url: entry, certs: undefined } : entry;
  const url = template.replaceAll("{address}", bracketed(host.address)).replaceAll("{host}", host.name);
  if (url.startsWith("unix:")) return { kind: "unix", url };
  if (url.startsWith("ssh:")) return { kind: "ssh", url };
  if (url.startsWith("tcp+insecure:")) return { kind: "plain", url: url.replace("tcp+insecure:", "tcp:") };
  return { kind: "tls", url, certs: certs ?? DEFAULTS.daemonCerts };
}

/**
 * Sockets that programs of desktops forward from a virtual machine: of Docker Desktop, Colima, Lima, Rancher Desktop,
 * OrbStack and Podman's machine.
 */
const FORWARDED =
  /\/\.(docker\/(run|desktop)|colima|lima|rd|orbstack|finch)\/|\/Library\/Containers\/|\/podman-machine|\/podman\/machine\//;

/** The daemon's socket on its own host. */
export function socketOf({ kind, url }: Daemon): string {
  const path = url.replace(/^unix:\/\//, "");
  return kind === "unix" && !FORWARDED.test(path) ? path : DEFAULTS.daemonSocket;
}
