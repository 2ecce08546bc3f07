import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Daemon } from "../../cluster/model";
import { type DockerResult, docker } from "../docker/docker";

/** Where an agent's HTTP API is asked. */
export interface ApiEndpoint {
  readonly daemon: Daemon;
  readonly container: string;
  /** The API as it is reached in the container. */
  readonly local: string;
}

/** Scripts of rollout/agent, one behind the other. */
export const containerScripts = (...names: readonly string[]): string =>
  names.map((name) => readFileSync(join(__dirname, "../../rollout/agent", `${name}.sh`), "utf8")).join("");

/** Arguments of the docker CLI that run a script in an agent's container, where it finds the API as the agent has it now. */
export const inAgent = (
  { container, local }: ApiEndpoint,
  script: string,
  args: readonly string[],
  ...options: readonly string[]
): string[] => ["exec", ...options, "-e", `CONSUL_HTTP_ADDR=${local}`, container, "sh", "-c", script, "sh", ...args];

/** As the scripts of a deploy ask: with the agent's own token, where it has one that the cluster knows. */
const ASKING = containerScripts("consul-api");
const LOOK = readFileSync(join(__dirname, "../inspect/probe.sh"), "utf8");
const CURL = `for word; do
  shift
  case $word in /*) set -- "$@" "$url$word" ;; *) set -- "$@" "$word" ;; esac
done
api "$@"`;

/**
 * Asks an agent's API by curl in its container.
 * @param words options of curl, and paths, which begin with a slash
 * @param seconds after which a daemon that does not answer counts as gone
 */
export const consulApi = (place: ApiEndpoint, words: readonly string[], seconds = 60): Promise<DockerResult> =>
  docker(place.daemon, inAgent(place, ASKING + CURL, ["-m", "10", ...words]), seconds);

/** Asks an agent all that there is to see of it: see probe.sh. */
export const probeApi = (place: ApiEndpoint, words: readonly string[], seconds: number): Promise<DockerResult> =>
  docker(place.daemon, inAgent(place, ASKING + LOOK, words), seconds);

const MANAGED = `${ASKING}${containerScripts("management-api")}
managed "$@" </dev/null`;

/** The same of a server, with the management token that it has. @param path begins with a slash */
export function managedApi(place: ApiEndpoint, path: string, seconds = 60): Promise<DockerResult> {
  return docker(place.daemon, inAgent(place, MANAGED, [path, "-f"]), seconds);
}
