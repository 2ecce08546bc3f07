import type { AgentDescription } from "../../cluster/model";
import { AgentContainer } from "../../rollout/agent-container";
import { ContainerUnreachable } from "../../rollout/consul-api";
import type { ConnectionSettings } from "../../rollout/consul-connection";
import { operator } from "./docker";

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

/** As withAgent, for work that returns why it failed: an unreachable container is a reason too. */
export function tryWithAgent(
  agent: AgentDescription,
  work: (agent: AgentContainer) => Promise<string | undefined>,
): Promise<string | undefined> {
  return withAgent(agent, work).catch((error: Error) => {
    if (error instanceof ContainerUnreachable) return error.message;
    throw error;
  });
}
