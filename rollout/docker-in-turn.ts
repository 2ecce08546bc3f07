import type { Clock } from "./clock";
import type { Docker, DockerOptions, DockerResult } from "./docker";
import type { Queue } from "./queue";

/** How many checks of one Terraform run may do at the same time what all of them do first. */
export const MOST_BEGINNINGS = 4;

/**
 * A host's daemon, for checks that all begin at once: they wait for each other, so that a hundred agents need no hundred
 * docker CLIs at the same moment. A check has its place from its first command until it leaves: then the first checks
 * go on, while others have not begun.
 */
export class DockerInTurn implements Docker {
  private hasPlace = false;

  constructor(
    private readonly docker: Docker,
    private readonly queue: Queue,
    private readonly clock: Clock,
  ) {}

  async run(args: readonly string[], options?: DockerOptions): Promise<DockerResult> {
    // A pull takes minutes, and hosts pull at the same time.
    if (args[0] === "pull") await this.leave();
    else if (!this.hasPlace) {
      await this.queue.turn(this.clock);
      this.hasPlace = true;
    }
    return this.docker.run(args, options);
  }

  /** The check has begun, or waits for something else: the next one may come. */
  async leave(): Promise<void> {
    this.hasPlace = false;
    await this.queue.leave();
  }
}
