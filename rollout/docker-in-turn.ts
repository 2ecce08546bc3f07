import type { Clock } from "./clock";
import type { Docker, DockerOptions, DockerResult } from "./docker";
import type { Queue } from "./queue";

/** How many docker CLIs the checks of one Terraform run may have at the same time, for what all of them do first. */
export const MOST_CLIS = 8;

/**
 * A host's daemon, for checks that all begin at once: they wait for each other, so that a hundred agents need no hundred
 * docker CLIs at the same moment.
 */
export class DockerInTurn implements Docker {
  /** @param queue makes a place in the queue for one command */
  constructor(
    private readonly docker: Docker,
    private readonly queue: () => Queue,
    private readonly clock: Clock,
  ) {}

  async run(args: readonly string[], options?: DockerOptions): Promise<DockerResult> {
    // A pull takes minutes, and hosts pull at the same time.
    if (args[0] === "pull") return this.docker.run(args, options);
    const place = this.queue();
    await place.turn(this.clock);
    try {
      return await this.docker.run(args, options);
    } finally {
      await place.leave();
    }
  }
}
