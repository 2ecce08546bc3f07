import * as fs from "node:fs";
import * as path from "node:path";
import type { DockerHost } from "./docker-host";
import { PROGRAMS } from "./ssh";

/**
 * What an operator runs on a host by ssh to reboot it or to upgrade its Docker Engine. The machine has no init system and
 * no packages of its own, so each of these says what it wants, and a test's HostPrograms do it. A minute takes 5 seconds.
 */
const SCRIPTS: Readonly<Record<string, string>> = {
  sudo: 'exec "$@"',
  reboot: 'echo reboot >"$wanted"',
  shutdown: '(sleep 5; echo reboot >"$wanted") >/dev/null 2>&1 &',
  "apt-get": 'echo restart >"$wanted"; while [ -e "$wanted" ]; do sleep 0.2; done',
};
const WANTED = "wanted";
const POLL_MS = 200;

/** Reboots hosts, and restarts their daemons, when somebody runs `reboot`, `shutdown` or `apt-get` there by ssh. */
export class HostPrograms {
  private isRunning = true;
  private readonly served: Promise<unknown>;
  /** How often a host was rebooted, or its daemon restarted. */
  readonly done = new Map<string, number>();

  constructor(private readonly hosts: readonly DockerHost[]) {
    for (const host of hosts) {
      const folder = this.folder(host);
      fs.rmSync(folder, { recursive: true, force: true });
      fs.mkdirSync(folder, { recursive: true });
      for (const [name, script] of Object.entries(SCRIPTS))
        fs.writeFileSync(path.join(folder, name), `#!/bin/sh\nwanted=${this.wanted(host)}\n${script}\n`, {
          mode: 0o755,
        });
    }
    this.served = Promise.all(hosts.map((host) => this.serve(host)));
    this.served.catch(() => undefined);
  }

  /** Removes the programs. @throws if a host could not be rebooted */
  async stop(): Promise<void> {
    this.isRunning = false;
    await this.served.finally(() => {
      for (const host of this.hosts) fs.rmSync(this.folder(host), { recursive: true, force: true });
    });
  }

  private async serve(host: DockerHost): Promise<void> {
    const file = this.wanted(host);
    for (; this.isRunning; await new Promise((resume) => setTimeout(resume, POLL_MS))) {
      const wanted = fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim() : "";
      if (wanted === "") continue;
      await host.stopDaemon();
      if (wanted === "reboot") await host.powerOff();
      await host.ensureUp();
      this.done.set(host.name, (this.done.get(host.name) ?? 0) + 1);
      fs.rmSync(file);
    }
  }

  private readonly folder = (host: DockerHost): string => path.join(host.folder, PROGRAMS);
  private readonly wanted = (host: DockerHost): string => path.join(this.folder(host), WANTED);
}
