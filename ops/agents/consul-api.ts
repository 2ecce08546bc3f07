import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Daemon } from "../../cluster/daemon";
import { type DockerResult, docker } from "./docker";

/** Where an agent's HTTP API is asked. */
export interface ApiPlace {
  readonly daemon: Daemon;
  readonly container: string;
  /** The API as it is reached in the container. */
  readonly local: string;
}

/** As the scripts of a deploy ask it: with the agent's own token, where it has one that the cluster knows. */
const SCRIPT = `${readFileSync(join(__dirname, "../../constructs/container/asking.sh"), "utf8")}
for word; do
  shift
  case $word in /*) set -- "$@" "$url$word" ;; *) set -- "$@" "$word" ;; esac
done
api "$@"`;

/**
 * Asks an agent's API by curl in its container.
 * @param words options of curl, and paths, which begin with a slash
 * @param seconds after which a daemon that does not answer counts as gone
 */
export function consulApi({ daemon, container, local }: ApiPlace, words: readonly string[], seconds = 60): Promise<DockerResult> {
  return docker(daemon, ["exec", "-e", `CONSUL_HTTP_ADDR=${local}`, container, "sh", "-c", SCRIPT, "sh", "-m", "10", ...words], seconds);
}
