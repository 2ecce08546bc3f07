import * as fs from "node:fs";
import * as path from "node:path";
import { run } from "./command";
import { type Machine, RUN_FOLDER } from "./world";

/**
 * Keys and settings for ssh between the operator and the hosts. The real machine's files (/etc/ssh, /root/.ssh) are
 * neither read nor written.
 */

/** The operator's keys and settings. */
export const SSH_FOLDER = path.join(RUN_FOLDER, "ssh");
const USER_KEY = path.join(SSH_FOLDER, "id_ed25519");
const HOST_KEY = path.join(SSH_FOLDER, "host_ed25519");
const KNOWN_HOSTS = path.join(SSH_FOLDER, "known_hosts");
const CLIENT_CONFIG = path.join(SSH_FOLDER, "config");

/** The files for a provider's `ssh_opts`. */
export const SSH_FILES = { key: USER_KEY, knownHosts: KNOWN_HOSTS, config: CLIENT_CONFIG } as const;

/** Programs of a host's own, in its folder: what is run by ssh finds them before the real machine's. */
export const PROGRAMS = "programs";

/** Makes the operator's key, and one key for all hosts, unless they exist. */
export async function ensureSshKeys(): Promise<void> {
  fs.mkdirSync(SSH_FOLDER, { recursive: true, mode: 0o700 });
  for (const key of [USER_KEY, HOST_KEY]) {
    if (fs.existsSync(`${key}.pub`) && fs.existsSync(key)) continue;
    fs.rmSync(key, { force: true });
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test-bed", "-f", key]);
  }
}

/** Writes the operator's ssh settings for exactly these hosts. */
export function writeSshClientConfig(hosts: readonly Machine[]): void {
  const [type, key] = fs.readFileSync(`${HOST_KEY}.pub`, "utf8").split(" ");
  fs.writeFileSync(KNOWN_HOSTS, hosts.map((host) => `${host.name},${host.address} ${type} ${key}\n`).join(""));
  const aliases = hosts.map((host) => `Host ${host.name}\n  HostName ${host.address}\n`).join("");
  fs.writeFileSync(
    CLIENT_CONFIG,
    `${aliases}
Host *
  User root
  IdentityFile ${USER_KEY}
  IdentitiesOnly yes
  UserKnownHostsFile ${KNOWN_HOSTS}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  BatchMode yes
  ConnectTimeout 5
  # docker and the provider start an ssh process for every call: all share one connection.
  ControlMaster auto
  ControlPath ${SSH_FOLDER}/%C
  ControlPersist 60
  # A shared connection to an unreachable host must fail soon.
  ServerAliveInterval 2
  ServerAliveCountMax 3
  LogLevel ERROR
`,
  );
}

/** Writes a wrapper for `ssh`, since OpenSSH takes the home folder from passwd and ignores $HOME. */
export function writeSshWrapper(binFolder: string, config = CLIENT_CONFIG): void {
  fs.writeFileSync(path.join(binFolder, "ssh"), `#!/bin/sh\nexec /usr/bin/ssh -F ${config} "$@"\n`, {
    mode: 0o755,
  });
}

/** Writes the settings of a host's sshd and returns their path. */
export function writeSshdConfig(host: Machine, folder: string): string {
  const file = path.join(folder, "sshd_config");
  fs.writeFileSync(
    file,
    `ListenAddress ${host.address}
HostKey ${HOST_KEY}
AuthorizedKeysFile ${USER_KEY}.pub
AuthenticationMethods publickey
PermitRootLogin prohibit-password
UsePAM no
PidFile none
# Terraform opens as many connections at once as a plan has resources on the host, and sessions on a shared one.
MaxStartups 100
MaxSessions 100
# The user's own docker context must not select another daemon. A test may give the host programs of its own.
SetEnv DOCKER_HOST=unix:///run/docker.sock PATH=${path.join(folder, PROGRAMS)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
`,
  );
  return file;
}
