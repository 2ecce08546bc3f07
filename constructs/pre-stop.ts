import { MAX_PART_BYTES, sizeInRequest } from "../consul/request-json";
import type { DecommissionRequest, ReplaceRequest } from "../rollout/request";

/**
 * Names of the container that is stopped, as Terraform expressions. Its successor may have others, and a destroy-time
 * provisioner, which comes with the new configuration, can refer to nothing but the resource itself.
 */
export const OWN_CONTAINER = "${self.name}";
export const OWN_NODE = '${one([for word in self.command : trimprefix(word, "-node=") if startswith(word, "-node=")])}';

export interface PreStopProps extends Omit<ReplaceRequest, "step" | "next"> {
  /** The container's successor; undefined if the agent is decommissioned. */
  readonly next: ReplaceRequest["next"] | undefined;
}

/**
 * The check before Terraform stops a container. Terraform destroys all replaced containers in parallel; this destroy-time
 * provisioner makes it wait.
 */
export function preStopRequest({ next, ...stop }: PreStopProps): ReplaceRequest | DecommissionRequest {
  if (!next) return { step: "decommission", ...stop };
  const { config, ...rest } = next;
  // The readiness check finds what is wrong with a configuration that is too large for a variable.
  const fits = config !== undefined && sizeInRequest(config) <= MAX_CONFIG_BYTES;
  return { step: "pre-stop", ...stop, next: fits ? next : rest };
}

/** What the rest of a request needs at most: with 9 other servers some 3 kB. */
const MAX_CONFIG_BYTES = MAX_PART_BYTES - 16 * 1024;
