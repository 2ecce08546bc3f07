import type { LocalExecProvisioner } from "cdktf";
import { argumentSize, MOST_BYTES } from "../consul/argument-size";
import { declaredVolume, STAGE_ON_THE_WIRE } from "../consul/contract";
import type { Role } from "../consul/ports";
import type { Stage } from "../consul/security";
import type { DockerHost } from "./docker-host";
import {
  DEFAULT_READY_TIMEOUT,
  type ExecTarget,
  execTargets,
  scriptText,
  shellQuoted,
  stepArguments,
  stepEnvironment,
} from "./rollout-step";

export interface PreStopProps {
  readonly host: DockerHost;
  readonly role: Role;
  /** The agent's Terraform id: the lock and the turn are taken under it. */
  readonly owner: string;
  /** What replaces the container; undefined where the agent leaves for good. */
  readonly next: NextContainer | undefined;
  /** Seconds to wait for the image, and again for the cluster's consent. Default 120. */
  readonly readyTimeout?: number;
  /** Of a server: how many servers the cluster is to have. Of a client: how many clients may be replaced at a time. */
  readonly limit: number;
  /** The cluster's servers but this one, which are asked when this agent cannot tell. */
  readonly servers: readonly ExecTarget[];
  /** How far the next container has security turned on. */
  readonly stage: Stage;
}

export interface NextContainer {
  /** It has to be on the host before this one is stopped. */
  readonly image: string;
  /** Its agent's configuration as a whole, which that image's Consul has to take before this one is stopped. */
  readonly config: string;
}

/** The names that the container being stopped has, whatever its successor's are. */
export const OWN_CONTAINER = "${self.name}";
export const OWN_NODE = '${one([for word in self.command : trimprefix(word, "-node=") if startswith(word, "-node=")])}';

/**
 * What is asked before Terraform stops a container. Terraform alone destroys all containers that it replaces at once; while this question waits,
 * it does not. It comes with the new configuration and is about the old container, so it takes names from `self`, which is all that a
 * destroy-time provisioner may refer to: its scripts are written out.
 */
export function preStopCheck({
  host,
  role,
  owner,
  next,
  readyTimeout = DEFAULT_READY_TIMEOUT,
  limit,
  servers,
  stage,
}: PreStopProps): LocalExecProvisioner {
  const replaced = next !== undefined;
  return {
    type: "local-exec",
    when: "destroy",
    command: 'sh -c "$BEFORE_STOP"',
    environment: {
      BEFORE_STOP: scriptText(replaced ? "beforeStop" : "beforeLeave"),
      STOP_DOCKER: host.dockerArguments.map(shellQuoted).join(" "),
      STOP_CONTAINER: OWN_CONTAINER,
      STOP_OWNER: owner,
      ...(replaced && {
        STOP_IMAGE: host.pullReference(next.image),
        STOP_SECONDS: String(readyTimeout),
        ...trial(host, next.config),
      }),
      ASK: scriptText("ask"),
      ...stepEnvironment({
        script: scriptText(role === "server" ? "serverQuestion" : "clientQuestion"),
        readyTimeout,
        arguments: [owner, OWN_NODE, replaced ? "replace" : "leave", limit, STAGE_ON_THE_WIRE[stage]],
        targets: [{ host, container: OWN_CONTAINER }, ...servers],
      }),
      ...(!replaced && {
        LEAVE_SCRIPT: scriptText("leave"),
        GONE_SCRIPT: scriptText("gone"),
        GONE_ARGUMENTS: stepArguments([readyTimeout, owner, OWN_NODE]),
        GONE_TARGETS: execTargets(servers),
      }),
    },
  };
}

/** What tries the next configuration. One that is too large to be handed over is left to the gate. */
const trial = (host: DockerHost, config: string): Record<string, string> => ({
  TRY_SCRIPT: scriptText("tryConfig"),
  STOP_NETWORK: host.networkName,
  STOP_DECLARED: declaredVolume(OWN_CONTAINER),
  ...(argumentSize(config) <= MOST_BYTES && { STOP_CONFIG: config }),
});
