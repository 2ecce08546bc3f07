import { Container } from "@cdktf/provider-docker/lib/container";
import type { Construct } from "constructs";
import type { Settings } from "../cluster/file/schema";
import { type AgentConfigProps, agentConfig, agentEnvironment, listensOnPrivileged } from "../consul/agent-config";
import { dataVolume, declaredVolume, PATHS } from "../consul/contract";
import type { EffectivePorts, Role } from "../consul/ports";
import { type AgentSecurity, SECURED_ENTRYPOINT, secretUploads, stageOf } from "./agent-security";
import {
  hardening,
  healthCheck,
  labels,
  limits,
  logging,
  publishedPorts,
  type Upload,
  volume,
} from "./container-options";
import type { DockerHost } from "./docker-host";
import { uploadText } from "./rollout-scripts";

/** Seconds from SIGTERM to SIGKILL. Consul gives its agents 15 s to finish, and Docker's default is 10 s. */
export const STOP_TIMEOUT_SECONDS = 30;

export interface AgentContainerProps extends Pick<Settings, "labels" | "log" | "publish" | "resources" | "restart"> {
  readonly host: DockerHost;
  readonly role: Role;
  /** The container's name. */
  readonly container: string;
  readonly hostname: string;
  readonly imageId: string;
  readonly command: string[];
  readonly agentConfig: AgentConfigProps;
  readonly ports: EffectivePorts;
  /** The API's URL from inside the container. */
  readonly http: string;
  /** A volume's name, or a folder of the host if it begins with a slash. @default the volume <container>-data */
  readonly data?: string;
  /** @default none */
  readonly security?: AgentSecurity;
  /** Whether Terraform removes the container. */
  readonly decommission: boolean;
}

/** An agent's container. Its scope is the agent. */
export function agentContainer(scope: Construct, id: string, props: AgentContainerProps): Container {
  const { host, role, container, ports, security, http } = props;
  const privileged = listensOnPrivileged(ports);
  return new Container(scope, id, {
    provider: host.provider,
    count: props.decommission ? 0 : undefined,
    name: container,
    image: props.imageId,
    hostname: props.hostname,
    command: props.command,
    env: agentEnvironment({ ports, http, stage: security ? stageOf(security) : "off" }),
    entrypoint: entrypoint(role, security !== undefined),
    restart: props.restart ?? "always",
    ...logging(props.log),
    stopTimeout: STOP_TIMEOUT_SECONDS,
    // The provider stops a container with this grace period, not with stop_timeout, and without it by SIGKILL.
    destroyGraceSeconds: STOP_TIMEOUT_SECONDS,
    ...host.networking(scope.node.id),
    ...publishedPorts(host, ports, props.publish),
    ...limits(props.resources),
    ...(security ? hardening(privileged) : {}),
    labels: labels(props.labels),
    volumes: [
      volume(PATHS.data, props.data ?? dataVolume(container)),
      volume(PATHS.declared, declaredVolume(container)),
    ],
    upload: uploads(props),
    healthcheck: healthCheck(PATHS.health),
  });
}

/**
 * The image's own entrypoint, behind the scripts that run before it. A server's script transfers leadership before it
 * stops Consul; with --single-child, signals reach Consul only through that script. Undefined for the image's own alone.
 */
function entrypoint(role: Role, secured: boolean): string[] | undefined {
  const ownSecrets = secured ? SECURED_ENTRYPOINT : [];
  if (role === "server") {
    return ["/usr/bin/dumb-init", "--single-child", ...ownSecrets, "/bin/sh", PATHS.leaveLeadership];
  }
  return secured ? [...ownSecrets, "docker-entrypoint.sh"] : undefined;
}

function uploads({ role, security, agentConfig: config }: AgentContainerProps): Upload[] {
  const files: Upload[] = [
    { file: PATHS.agentConfig, content: agentConfig(config) },
    { file: PATHS.health, content: uploadText("health.sh") },
  ];
  if (role === "server") files.push({ file: PATHS.leaveLeadership, content: uploadText("leave-leadership.sh") });
  if (security) files.push(...secretUploads(role, security));
  return files;
}
