import { statSync } from "node:fs";
import type { Cluster, Daemon } from "../../cluster/model";
import { ImageReference } from "../../constructs/image-reference";
import { serversOf } from "./servers";
import { parseInspection, type Snapshot } from "./snapshot";
import { stream } from "./stream";

/** A snapshot that no server could read. */
export class BrokenSnapshot extends Error {}

/** For a file that is sent to the host and read there. */
const SECONDS = 600;

const INSPECT = ["snapshot", "inspect", "-format=json", "/dev/stdin"];

/** What Consul says of a file, unlike what docker says when it cannot be asked. */
const CONSUL_SAYS = /^Error (?:reading|extracting|opening)\b.*/m;

/** Checks snapshots with a server's own program: in a server's container, or in one of its image that is removed again, where no server runs. */
export class Inspector {
  private readonly places: [daemon: Daemon, words: readonly string[]][];
  private readonly refusals = new Set<string>();

  constructor(cluster: Cluster) {
    const servers = serversOf(cluster);
    const image = (of: string) => ImageReference.parse(of).through(cluster.mirror).toString();
    this.places = [
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
   * @throws BrokenSnapshot for a file that is no snapshot, or not all of one; Error when nobody can be asked
   */
  async inspect(file: string): Promise<Snapshot> {
    while (this.places[0]) {
      const [daemon, words] = this.places[0];
      const { ok, output, error } = await stream(daemon, words, { from: file, seconds: SECONDS });
      if (ok) return parseInspection(output, statSync(file).size);
      const [why] = CONSUL_SAYS.exec(error) ?? [];
      if (why !== undefined) throw new BrokenSnapshot(why);
      this.refusals.add(error);
      // Nor will it read the next one.
      this.places.shift();
    }
    throw new Error(
      ["no server's container, and no host with its image, can be asked to read a snapshot", ...this.refusals].join(
        "\n",
      ),
    );
  }
}
