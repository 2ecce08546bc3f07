import type { Docker } from "./docker";
import { type Denial, deny } from "./outcome";

export type ContainerState =
  | { readonly kind: "gone" }
  /** @param image its id */
  | { readonly kind: "running"; readonly image: string }
  /** It exists and does not run. */
  | { readonly kind: "stopped"; readonly state: string }
  | Denial;

/** A container's state by its daemon. An unreachable daemon is a denial: what it would do with a stop is unknown. */
export async function containerState(docker: Docker, container: string): Promise<ContainerState> {
  const inspect = await docker.run(["container", "inspect", "-f", "{{.State.Status}} {{.Image}}", container]);
  const [, state, image] = inspect.ok ? (/^(\S+) (\S+)$/.exec(inspect.output.trim()) ?? []) : [];
  // It may go on at any moment, and nobody can ask its agent: `docker commit` pauses a container for seconds.
  if (state === "paused") return deny("its container is paused", `docker unpause ${container}`);
  if (state !== undefined && image !== undefined)
    return state === "running" ? { kind: "running", image } : { kind: "stopped", state };
  // The list decides whether the container is gone, not the text of an error. The filter finds longer names too, and a
  // container may have several names.
  const list = await docker.run(["container", "ls", "-a", "-f", `name=${container}`, "--format", "{{.Names}}"]);
  const names = list.output.split(/[\s,]+/);
  if (list.ok && !names.includes(container)) return { kind: "gone" };
  return deny(
    `its daemon is unreachable: ${inspect.error || "it tells no state"}`,
    "bring the host and its Docker daemon back; if it failed permanently: docs/membership.md",
  );
}
