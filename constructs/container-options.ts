import type { ContainerConfig } from "@cdktf/provider-docker/lib/container";
import type { AgentSettings } from "../cluster/model";
import { REGISTRATOR_IGNORES } from "../consul/contract";
import type { EffectivePorts, PortName } from "../consul/ports";
import { byCodeUnits } from "../consul/sort";
import type { IDockerHost } from "./docker-host-base";

export type Upload = NonNullable<Exclude<ContainerConfig["upload"], { resolve: unknown }>>[number];

/** Limits of a container's memory (MiB) and CPUs. */
export function limits({ memory, cpus, cpuset }: AgentSettings["resources"]): Partial<ContainerConfig> {
  // Without memory_swap the provider would find a difference in every plan.
  return { memory, memorySwap: memory, cpus: cpus === undefined ? undefined : String(cpus), cpuSet: cpuset };
}

/** A container's labels: the product's own, and the user's. */
export function labels(
  own: Readonly<Record<string, string>>,
  users: Readonly<Record<string, string>> = {},
): { label: string; value: string }[] {
  return Object.entries({ ...REGISTRATOR_IGNORES, ...own, ...users })
    .sort(([a], [b]) => byCodeUnits(a, b))
    .map(([label, value]) => ({ label, value }));
}

/**
 * A volume is named, not managed: Docker creates it, and no Terraform operation ever deletes it.
 * @param location the volume's name, or a folder of the host if it begins with a slash
 */
export function volume(containerPath: string, location: string) {
  return location.startsWith("/") ? { containerPath, hostPath: location } : { containerPath, volumeName: location };
}

/** Ports of a container in a bridge network that are published at its host's address. */
export function publishedPorts(
  { bridge, address }: IDockerHost,
  ports: EffectivePorts,
  publish: AgentSettings["publish"],
): Pick<ContainerConfig, "ports"> {
  if (!bridge) return {};
  const published = Object.entries(publish).flatMap(([name, external]) =>
    (name === "dns" ? ["tcp", "udp"] : ["tcp"]).map((protocol) => ({
      internal: ports[name as PortName],
      external,
      ip: address,
      protocol,
    })),
  );
  return published.length > 0 ? { ports: published } : {};
}

/**
 * Rights of a secured agent's container: it starts as root, gives its data and secrets to Consul's user, becomes that
 * user, and can stop it.
 * @param privilegedPorts whether it listens on ports below 1024. They need a capability that the image's entrypoint
 * grants to Consul's program, which no-new-privileges would take away
 */
export function hardening(privilegedPorts: boolean): Partial<ContainerConfig> {
  const capabilities = ["CAP_CHOWN", "CAP_KILL", "CAP_SETGID", "CAP_SETUID"];
  if (privilegedPorts) capabilities.push("CAP_NET_BIND_SERVICE", "CAP_SETFCAP");
  const options = { capabilities: { add: capabilities.sort(), drop: ["ALL"] } };
  return privilegedPorts ? options : { ...options, securityOpts: ["no-new-privileges:true"] };
}

/** Rights of a container whose root needs none of root's: of registrator, and of scheduled backups. */
export const WITHOUT_CAPABILITIES = {
  capabilities: { drop: ["ALL"] },
  securityOpts: ["no-new-privileges:true"],
};

/** Docker's health check by a script. */
export const healthCheck = (...command: string[]): NonNullable<ContainerConfig["healthcheck"]> => ({
  test: ["CMD", "/bin/sh", ...command],
  interval: "10s",
  timeout: "5s",
  startPeriod: "1m0s",
  retries: 3,
});
