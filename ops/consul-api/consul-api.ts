import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentDescription, Daemon } from "../../cluster/model";
import { AgentContainer } from "../../rollout/agent-container";
import type { ConnectionSettings } from "../../rollout/consul-connection";
import type { DockerResult } from "../../rollout/docker";
import { docker, operator } from "../docker/docker";

export interface AgentOptions extends ConnectionSettings {
  /** The container's present name. @default the cluster file's */
  readonly container?: string;
}

/**
 * Works with an agent in its running container: by its HTTP API, at the address of the cluster file, and by its Docker
 * daemon. A connection that the work has opened is closed afterwards. Requests throw as ConsulConnection's do.
 */
export async function withAgent<Result>(
  { host, container, endpoints }: AgentDescription,
  work: (agent: AgentContainer) => Promise<Result>,
  { container: presentName = container, ...settings }: AgentOptions = {},
): Promise<Result> {
  const { url: daemon, certs } = host.daemon;
  const target = { daemon, certs, container: presentName, api: endpoints.local };
  const agent = new AgentContainer(target, operator(), settings);
  try {
    return await work(agent);
  } finally {
    await agent.close();
  }
}

/** An agent's HTTP API in its container. */
export interface ApiEndpoint {
  readonly daemon: Daemon;
  readonly container: string;
  /** The API's URL inside the container. */
  readonly local: string;
}

/** An agent's API in its container, whose present name may not be the file's. */
export const apiOf = ({ host, container, endpoints }: AgentDescription, presentName = container): ApiEndpoint => ({
  daemon: host.daemon,
  container: presentName,
  local: endpoints.local,
});

/** The text of scripts of this folder, concatenated. */
export const containerScripts = (...names: readonly string[]): string =>
  names.map((name) => readFileSync(join(__dirname, `${name}.sh`), "utf8")).join("");

/** Arguments of the docker CLI that run a script in an agent's container, with the API's present URL in the environment. */
export const inAgent = (
  { container, local }: ApiEndpoint,
  script: string,
  args: readonly string[],
  ...options: readonly string[]
): string[] => ["exec", ...options, "-e", `CONSUL_HTTP_ADDR=${local}`, container, "sh", "-c", script, "sh", ...args];

/** As a deploy's scripts: with the agent's own token, where it has one that the cluster accepts. */
const REQUEST = `${containerScripts("consul-api")}
for word; do
  shift
  case $word in /*) set -- "$@" "$url$word" ;; *) set -- "$@" "$word" ;; esac
done
api "$@"`;

/**
 * Sends a request to an agent's API by curl in its container.
 * @param args curl's options, and paths, which begin with a slash
 * @param seconds after which the Docker daemon counts as unreachable
 */
export const consulApi = (endpoint: ApiEndpoint, args: readonly string[], seconds = 60): Promise<DockerResult> =>
  docker(endpoint.daemon).run(inAgent(endpoint, REQUEST, ["-m", "10", ...args]), { seconds });
