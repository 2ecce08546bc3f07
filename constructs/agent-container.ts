import { Container } from "@cdktf/provider-docker/lib/container";
import type { Construct } from "constructs";
import type { AgentSettings } from "../cluster/model";
import { type AgentConfigProps, agentConfig, agentEnvironment, listensOnPrivileged } from "../consul/agent-config";
import { declaredVolume, PATHS, STOP_TIMEOUT_SECONDS } from "../consul/contract";
import type { Role } from "../consul/ports";
import { type AgentSecurity, SECURED_ENTRYPOINT, secretUploads } from "./agent-security";
import { hardening, healthCheck, labels, limits, publishedPorts, type Upload, volume } from "./container-options";
import { ContainerScripts } from "./container-scripts";
import type { IDockerHost } from "./docker-host-base";
import { setLog } from "./logging";

export interface AgentContainerProps {
  readonly settings: AgentSettings;
  readonly host: IDockerHost;
  readonly imageId: string;
  readonly command: string[];
  readonly agentConfig: AgentConfigProps;
  /** @default none */
  readonly security?: AgentSecurity;
  /** The product's own labels. */
  readonly labels: Readonly<Record<string, string>>;
  /** Whether Terraform removes the container. */
  readonly decommission: boolean;
}

/** An agent's container. Its scope is the agent. */
export function agentContainer(scope: Construct, id: string, props: AgentContainerProps): Container {
  const { host, security, settings } = props;
  const { role, container, ports, endpoints, stage } = settings;
  const privileged = listensOnPrivileged(ports);
  const created = new Container(scope, id, {
    provider: host.provider,
    count: props.decommission ? 0 : undefined,
    name: container,
    image: props.imageId,
    hostname: settings.hostname,
    command: props.command,
    env: agentEnvironment({ ports, http: endpoints.local, stage }),
    entrypoint: entrypoint(role, security !== undefined),
    restart: settings.restart,
    stopTimeout: STOP_TIMEOUT_SECONDS,
    // The provider stops a container with this grace period, not with stop_timeout, and without it by SIGKILL.
    destroyGraceSeconds: STOP_TIMEOUT_SECONDS,
    ...host.networking(scope.node.id),
    ...publishedPorts(host, ports, settings.publish),
    ...limits(settings.resources),
    ...(security ? hardening(privileged) : {}),
    labels: labels(props.labels, settings.labels),
    volumes: [volume(PATHS.data, settings.data), volume(PATHS.declared, declaredVolume(container))],
    upload: uploads(ContainerScripts.of(scope), props),
    healthcheck: healthCheck(PATHS.health),
  });
  setLog(created, settings.log);
  return created;
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

function uploads(
  scripts: ContainerScripts,
  { settings: { role }, security, agentConfig: config }: AgentContainerProps,
): Upload[] {
  const files: Upload[] = [
    { file: PATHS.agentConfig, content: agentConfig(config) },
    scripts.upload(PATHS.health, "health.sh"),
  ];
  if (role === "server") files.push(scripts.upload(PATHS.leaveLeadership, "leave-leadership.sh"));
  if (security) files.push(scripts.upload(PATHS.ownSecrets, "own-secrets.sh"), ...secretUploads(role, security));
  return files;
}
