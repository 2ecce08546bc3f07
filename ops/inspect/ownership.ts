import { PATHS } from "../../consul/contract";
import type { Container } from "../docker/container";

/** Whether this product made a container, whatever its name and labels: only its containers have this health check (see constructs/consul-agent.ts). */
export const isOurs = ({ Config }: Container): boolean => Config.Healthcheck?.Test?.at(-1) === PATHS.health;

/** The text that `docker ps` shows of each agent's command: see constructs/agent-command.ts. */
export const NODE_FLAG = "-node=";

/** The node name that an agent's container was started with; undefined when it was not given on the command. */
export const nodeOf = ({ Config }: Container): string | undefined =>
  Config.Cmd?.find((argument) => argument.startsWith(NODE_FLAG))?.slice(NODE_FLAG.length);
