import type { Holder } from "./holder";
import type { Stage } from "./request";

/** What a check is asked: may this agent be stopped? */
export interface Stop extends Holder {
  /** Consul's node name, as the container that runs has it. */
  readonly node: string;
  /** `replace` it by another container, let it `leave` the cluster, or `maintain` its host, after which it goes on. */
  readonly purpose: "replace" | "leave" | "maintain";
  /** How far its next container has security turned on. */
  readonly stage: Stage;
  /** Seconds to wait for the others, and that an agent may take to become ready. */
  readonly seconds: number;
  /** Is called before the check acquires the deploy lock or a rollout slot that its owner does not have. */
  readonly begin?: () => void;
}
