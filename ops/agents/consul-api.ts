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

const ASKING = readFileSync(join(__dirname, "../../constructs/container/asking.sh"), "utf8");
const LOOK = readFileSync(join(__dirname, "look.sh"), "utf8");
const CURL = `for word; do
  shift
  case $word in /*) set -- "$@" "$url$word" ;; *) set -- "$@" "$word" ;; esac
done
api "$@"`;

/** Runs a script in an agent's container, which asks as the scripts of a deploy do: with the agent's own token, where it has one that the cluster knows. */
function asked({ daemon, container, local }: ApiPlace, script: string, words: readonly string[], seconds: number): Promise<DockerResult> {
  return docker(daemon, ["exec", "-e", `CONSUL_HTTP_ADDR=${local}`, container, "sh", "-c", `${ASKING}\n${script}`, "sh", ...words], seconds);
}

/**
 * Asks an agent's API by curl in its container.
 * @param words options of curl, and paths, which begin with a slash
 * @param seconds after which a daemon that does not answer counts as gone
 */
export const consulApi = (place: ApiPlace, words: readonly string[], seconds = 60): Promise<DockerResult> =>
  asked(place, CURL, ["-m", "10", ...words], seconds);

/** Asks an agent all that there is to see of it: see look.sh. */
export const consulLook = (place: ApiPlace, words: readonly string[], seconds: number): Promise<DockerResult> => asked(place, LOOK, words, seconds);
