import { type Clock, Stopwatch } from "./clock";
import type { Docker } from "./docker";
import { type Denial, deny, type Log, Waiting } from "./outcome";

export interface ImagePull {
  /** The container that will be replaced, for messages. */
  readonly container: string;
  /** The next image. */
  readonly image: string;
  /** Seconds to try again. */
  readonly seconds: number;
}

/** An image on the host, by its id. */
export interface PulledImage {
  readonly kind: "pulled";
  readonly id: string;
  /** Whether it was there at once: the host is as it was before. */
  readonly wasThere: boolean;
}

const RETRY_MS = 5000;

/**
 * Makes sure that a host has the next image before its agent is stopped: a pull while the agent is down would keep it
 * down, for ever if the image cannot be pulled.
 */
export async function pullImage(
  { container, image, seconds }: ImagePull,
  docker: Docker,
  clock: Clock,
  log: Log,
): Promise<PulledImage | Denial> {
  const waiting = new Waiting(container, clock, log);
  const begun = new Stopwatch(clock);
  for (let wasThere = true; ; await clock.sleep(RETRY_MS)) {
    const present = await imageId(docker, image);
    if (present !== undefined) return { kind: "pulled", id: present, wasThere };
    wasThere = false;
    // A large image needs more than the docker CLI's usual time.
    const pull = await docker.run(["pull", "-q", image], { seconds: seconds + 60 });
    const pulled = pull.ok ? await imageId(docker, image) : undefined;
    if (pulled !== undefined) return { kind: "pulled", id: pulled, wasThere };
    const reason = pull.ok ? "the daemon does not list it after the pull" : pull.error;
    if (begun.reached(seconds))
      return deny(
        `${image} cannot be pulled to its host: ${reason}`,
        "check the image's name, its registry, and the credentials of the docker CLI",
      );
    // The provider may have credentials that the CLI does not have: its own pull goes on meanwhile.
    waiting.for(`waiting for ${image}: ${reason}`);
  }
}

async function imageId(docker: Docker, image: string): Promise<string | undefined> {
  const { ok, output } = await docker.run(["image", "inspect", "-f", "{{.Id}}", image]);
  const id = output.trim();
  return ok && id !== "" ? id : undefined;
}
