import { statSync } from "node:fs";
import type { Cluster, Daemon } from "../../cluster/model";
import { ImageReference } from "../../constructs/image-reference";
import { serversOf } from "./servers";
import { parseInspection, type Snapshot } from "./snapshot";
import { stream } from "./stream";

/** A damaged snapshot, which no server could read. */
export class DamagedSnapshot extends Error {}

/** Enough to send a file to the host and read it there. */
const SECONDS = 600;

const INSPECT = ["snapshot", "inspect", "-format=json", "/dev/stdin"];

/** Consul's errors about a file, as opposed to errors of docker. */
const CONSUL_ERROR = /^Error (?:reading|extracting|opening)\b.*/m;

/** Verifies snapshots with a server's own program: in a server's container, or in a short-lived one of its image where no server runs. */
export class Inspector {
  private readonly programs: [daemon: Daemon, words: readonly string[]][];
  private readonly refusals = new Set<string>();

  constructor(cluster: Cluster) {
    const servers = serversOf(cluster);
    const image = (of: string) => ImageReference.parse(of).through(cluster.mirror).toString();
    this.programs = [
      ...servers.map(({ host, container }): [Daemon, string[]] => [
        host.daemon,
        ["exec", "-i", container, "consul", ...INSPECT],
      ]),
      ...servers.map(({ host, image: own }): [Daemon, string[]] => [
        host.daemon,
        ["run", "--rm", "-i", "--network", "none", "--entrypoint", "consul", image(own), ...INSPECT],
      ]),
    ];
  }

  /**
   * @throws DamagedSnapshot for a file that is no complete snapshot; Error when no host can read it
   */
  async inspect(file: string): Promise<Snapshot> {
    while (this.programs[0]) {
      const [daemon, args] = this.programs[0];
      const { ok, output, error } = await stream(daemon, args, { from: file, seconds: SECONDS });
      if (ok) return parseInspection(output, statSync(file).size);
      const [why] = CONSUL_ERROR.exec(error) ?? [];
      if (why !== undefined) throw new DamagedSnapshot(why);
      this.refusals.add(error);
      // It will not read the next file either.
      this.programs.shift();
    }
    throw new Error(
      ["no server's container, and no host with its image, can read a snapshot", ...this.refusals].join("\n"),
    );
  }
}
