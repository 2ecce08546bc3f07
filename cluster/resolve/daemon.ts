import { bracketed } from "../../consul/address";
import type { DaemonEntry } from "../file/schema";

/** A Docker daemon, as the provider and the docker CLI are told of it. */
export interface Daemon {
  readonly kind: "unix" | "ssh" | "tls" | "plain";
  /** As `docker -H` takes it. */
  readonly url: string;
  /** Folder of ca.pem, cert.pem and key.pem, for `tls`: absolute, `~/...`, or relative to the project. */
  readonly certs?: string;
}

/** Docker's own default (docs.docker.com/engine/security/protect-access). */
const DEFAULT_CERTS = "~/.docker";

/** What stands in a daemon's URL for the host's own, in braces. */
export const PLACEHOLDERS: readonly string[] = ["address", "host"];

/** Reads a daemon's URL, with `{address}` and `{host}` replaced by the host's. */
export function daemonOf(entry: DaemonEntry, host: { name: string; address: string }): Daemon {
  const { url: template, certs } = typeof entry === "string" ? { url: entry, certs: undefined } : entry;
  const url = template.replaceAll("{address}", bracketed(host.address)).replaceAll("{host}", host.name);
  if (url.startsWith("unix:")) return { kind: "unix", url };
  if (url.startsWith("ssh:")) return { kind: "ssh", url };
  if (url.startsWith("tcp+insecure:")) return { kind: "plain", url: url.replace("tcp+insecure:", "tcp:") };
  return { kind: "tls", url, certs: certs ?? DEFAULT_CERTS };
}

/**
 * The docker CLI's arguments that reach a daemon.
 * @param certs the daemon's certificate folder, as it is reached from where the CLI runs
 */
export function dockerArguments(daemon: Daemon, certs: string | undefined): string[] {
  const tls =
    daemon.kind === "tls"
      ? [
          "--tlsverify",
          ...["ca", "cert", "key"].map((file) => `--tls${file === "ca" ? "cacert" : file}=${certs}/${file}.pem`),
        ]
      : [];
  return ["-H", daemon.url, ...tls];
}
