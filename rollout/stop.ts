import type { Stage } from "./request";

/** What a check is asked: may this agent be stopped? */
export interface Stop {
  /**
   * The agent's Terraform id, which stays when its node or container gets another name: the lock or the rollout slot is
   * held under it.
   */
  readonly owner: string;
  /** Consul's node name, as the container that runs has it. */
  readonly node: string;
  /** `replace` it by another container, or let it `leave` the cluster. */
  readonly purpose: "replace" | "leave";
  /** How far its next container has security turned on. */
  readonly stage: Stage;
  /** Seconds to wait for the others, and that an agent may take to become ready. */
  readonly seconds: number;
}
