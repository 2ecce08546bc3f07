import { type ContainerRole, OWN_LABELS, PATHS } from "../../consul/contract";
import type { Container } from "../docker/container";

/** Whether this product made a container, whatever its name and labels: only its containers have this health check (see constructs/consul-agent.ts). */
export const isOurs = ({ Config }: Container): boolean => Config.Healthcheck?.Test?.at(-1) === PATHS.health;

/** The text that `docker ps` shows of each agent's command: see constructs/agent-command.ts. */
export const NODE_FLAG = "-node=";

/** The node name that an agent's container was started with; undefined when it was not given on the command. */
export const nodeOf = ({ Config }: Container): string | undefined =>
  Config.Cmd?.find((argument) => argument.startsWith(NODE_FLAG))?.slice(NODE_FLAG.length);

/** What a container of the product is. */
export interface Owner {
  readonly role: ContainerRole;
  /** Undefined for a container of 0.1.0, and for one of a stack of one's own. */
  readonly cluster?: string;
  /** The agent that it runs, or that it belongs to. Undefined if it is unknown. */
  readonly agent?: string;
}

/** By its labels; for a container of 0.1.0, which has none, by what it runs. Undefined for a container of others. */
export function ownerOf(container: Container): Owner | undefined {
  const { Labels, Cmd, Entrypoint } = container.Config;
  const role = Labels?.[OWN_LABELS.role] as ContainerRole | undefined;
  if (role) return { role, cluster: Labels?.[OWN_LABELS.cluster], agent: Labels?.[OWN_LABELS.agent] };
  if (isOurs(container)) return { role: Cmd?.includes("-server") ? "server" : "client" };
  if (Entrypoint?.includes(PATHS.backupsScript)) return { role: "backups" };
  return container.Mounts.some(({ Destination }) => Destination === PATHS.registratorSocket)
    ? { role: "registrator" }
    : undefined;
}

/** A cluster's agent that a container belongs to. */
interface Belonging {
  readonly cluster: string;
  readonly agent?: string;
}

/** Whether a container may be that of a cluster, and of an agent: nothing that is known of it denies that. */
export const mayBelongTo = (owner: Owner, { cluster, agent }: Belonging): boolean =>
  (owner.cluster ?? cluster) === cluster && (agent === undefined || (owner.agent ?? agent) === agent);
