import { NODE_META, STAGE_ON_THE_WIRE } from "../consul/contract";
import { byCodeUnits } from "../consul/sort";
import type { ConsulApi } from "./consul-api";
import { deny, type Outcome, type Waiting } from "./outcome";
import { ALIVE, catalogNodes, members } from "./queries";
import type { Stage } from "./request";
import type { Stop } from "./stop";

/** In their order: a cluster goes from one to the next. */
export const STAGES = Object.keys(STAGE_ON_THE_WIRE) as Stage[];

/**
 * The members that an agent of a certain stage could not talk to, with their stages; undefined if the cluster does not
 * tell.
 */
export async function incompatibleMembers(api: ConsulApi, stage: Stage): Promise<readonly string[] | undefined> {
  const all = await members(api);
  const nodes = await catalogNodes(api);
  if (!all || !nodes) return undefined;
  const metas = new Map(nodes.map(({ Node, Meta }) => [Node, Meta ?? {}]));
  return all
    .filter(({ Status }) => Status === ALIVE)
    .map(({ Name }) => ({ name: Name, stage: announcedStage(metas.get(Name) ?? {}) ?? stage }))
    .filter((member) => !isCompatible(stage, member.stage))
    .sort((a, b) => byCodeUnits(a.name, b.name))
    .map((member) => `${member.name} (${member.stage})`);
}

/**
 * The stage that a node's metadata announces. Undefined for an agent that has not registered yet, of which nothing is
 * known: the entry that an agent makes itself has metadata of Consul's own.
 */
function announcedStage(meta: Readonly<Record<string, string>>): string | undefined {
  const announced = meta[NODE_META.security];
  if (announced !== undefined) return STAGES.find((stage) => STAGE_ON_THE_WIRE[stage] === announced) ?? announced;
  return Object.hasOwn(meta, "consul-network-segment") ? "off" : undefined;
}

/**
 * Agents more than one stage apart cannot talk to each other. An agent that had a gossip key keeps it in its data, so
 * it cannot return to `off` beside others that have one (hashicorp/consul, agent/keyring.go).
 */
function isCompatible(next: Stage, other: string): boolean {
  const distance = STAGES.indexOf(other as Stage) - STAGES.indexOf(next);
  return Math.abs(distance) <= 1 && !(next === "off" && distance > 0);
}

/**
 * What keeps the next container from starting beside the others: its stage is too far from theirs, for now (`waiting`),
 * or for `seconds`. Undefined if nothing does, and for an agent that leaves. Unknown if the asked agent does not tell.
 */
export async function stageObstacle(
  { purpose, stage, seconds }: Pick<Stop, "purpose" | "stage" | "seconds">,
  api: ConsulApi,
  waiting: Waiting,
): Promise<Outcome | "waiting" | undefined> {
  const far = purpose === "replace" ? await incompatibleMembers(api, stage) : [];
  if (far?.length === 0) return undefined;
  if (!far) return waiting.untold("this agent does not tell the others' security");
  waiting.for(`its next container has security at "${stage}", too far from ${far.join(", ")}`);
  if (!waiting.reached(seconds)) return "waiting";
  return deny(waiting.reason, "go one stage at a time, with a deploy of all agents for each: docs/security.md");
}
