import type { LocalExecProvisioner } from "cdktf";
import { argumentSize, MAX_ARGUMENT_BYTES } from "../consul/argument-size";
import { declaredVolume, type ProvisionerEnvironment, STAGE_ON_THE_WIRE } from "../consul/contract";
import type { Role } from "../consul/ports";
import type { Stage } from "../consul/security";
import type { DockerHost } from "./docker-host";
import { scriptText } from "./rollout-scripts";
import { type ExecTarget, execTargets, stepEnvironment } from "./rollout-step";
import { shellWords } from "./shell";

export interface PreStopProps {
  readonly host: DockerHost;
  readonly role: Role;
  /** The agent's Terraform id, which the deploy lock and the rollout slot are acquired under. */
  readonly owner: string;
  /** The container's successor; undefined if the agent is decommissioned. */
  readonly next: NextContainer | undefined;
  /** Seconds to wait for the image, and again until the check allows the stop. */
  readonly readyTimeout: number;
  /** For a server: how many servers the cluster is to have. For a client agent: how many are replaced in parallel. */
  readonly limit: number;
  /** The cluster's other servers. They are asked if this agent does not know. */
  readonly servers: readonly ExecTarget[];
  /** The next container's stage of security. */
  readonly stage: Stage;
}

export interface NextContainer {
  /** The image. The host must have it before the container is stopped. */
  readonly image: string;
  /** The agent's whole configuration. Consul of that image must accept it before the container is stopped. */
  readonly config: string;
}

/** Names of the container that is stopped. Its successor may have others. */
export const OWN_CONTAINER = "${self.name}";
export const OWN_NODE = '${one([for word in self.command : trimprefix(word, "-node=") if startswith(word, "-node=")])}';

/**
 * The check before Terraform stops a container. Terraform destroys all replaced containers in parallel; this destroy-time
 * provisioner makes it wait. It comes with the new configuration, and runs against the old container. Therefore it gets
 * names from `self`, and it contains its scripts: a destroy-time provisioner cannot refer to locals.
 */
export function preStopCheck(props: PreStopProps): LocalExecProvisioner {
  const { host, role, owner, next, readyTimeout, limit, servers, stage } = props;
  return {
    type: "local-exec",
    when: "destroy",
    command: 'sh -c "$BEFORE_STOP"',
    environment: {
      BEFORE_STOP: scriptText(next ? "beforeStop" : "beforeLeave"),
      STOP_DOCKER: shellWords(host.dockerArguments),
      STOP_CONTAINER: OWN_CONTAINER,
      STOP_OWNER: owner,
      ASK: scriptText("ask"),
      ...stepEnvironment({
        script: scriptText(role === "server" ? "serverQuestion" : "clientQuestion"),
        readyTimeout,
        arguments: [owner, OWN_NODE, next ? "replace" : "leave", limit, STAGE_ON_THE_WIRE[stage]],
        targets: [{ host, container: OWN_CONTAINER }, ...servers],
      }),
      ...(next ? nextEnvironment(host, next, readyTimeout) : leaveEnvironment(owner, servers, readyTimeout)),
    } satisfies ProvisionerEnvironment,
  };
}

/** Of a replaced container: its successor's image and configuration. */
function nextEnvironment(
  host: DockerHost,
  { image, config }: NextContainer,
  readyTimeout: number,
): Record<string, string> {
  const environment: Record<string, string> = {
    STOP_IMAGE: host.pullReference(image),
    STOP_SECONDS: String(readyTimeout),
    STOP_NETWORK: host.networkName,
    STOP_DECLARED: declaredVolume(OWN_CONTAINER),
    TRY_SCRIPT: scriptText("tryConfig"),
  };
  // The readiness check finds what is wrong with a configuration that is too large for an argument.
  if (argumentSize(config) <= MAX_ARGUMENT_BYTES) environment.STOP_CONFIG = config;
  return environment;
}

/** Of a decommissioned agent: how it leaves, and the check that it has left. */
const leaveEnvironment = (
  owner: string,
  servers: readonly ExecTarget[],
  readyTimeout: number,
): Record<string, string> => ({
  LEAVE_SCRIPT: scriptText("leave"),
  GONE_SCRIPT: scriptText("gone"),
  GONE_ARGUMENTS: shellWords([readyTimeout, owner, OWN_NODE]),
  GONE_TARGETS: execTargets(servers),
});
