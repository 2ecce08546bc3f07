export { defineCluster } from "../cluster/define";
export { loadCluster, selectClusterFile } from "../cluster/file/load";
export type { ClusterFile } from "../cluster/file/schema";
export type { Cluster, Daemon } from "../cluster/model";
export {
  type AgentLocation,
  ClusterError,
  type FileLocation,
  type Location,
  type Problem,
  type ProgramLocation,
} from "../cluster/problem";
export type { ConsulConfig } from "../consul/config";
export type { Endpoints } from "../consul/endpoints";
export type { ExecTarget, StepRequest } from "../rollout/request";
export type {
  AgentDns,
  AgentPorts,
  ConsulAgentProps,
  ConsulCheck,
  ConsulService,
  ContainerLog,
  ContainerResources,
  IConsulServer,
  PublishedPorts,
} from "./agent-props";
export type { AgentSecurity } from "./agent-security";
export { synthesizeApp } from "./app";
export { BackupSchedule, type BackupScheduleProps } from "./backup-schedule";
export { ConsulAgent } from "./consul-agent";
export { ConsulClient, type ConsulClientProps } from "./consul-client";
export { ConsulCluster } from "./consul-cluster";
export { ConsulServer, type ConsulServerProps } from "./consul-server";
export { DockerHost, type DockerHostProps, type ExistingDockerHostProps } from "./docker-host";
export type { BridgeNetwork, ContainerNetworking, DaemonAddress, IDockerHost } from "./docker-host-base";
export { EmbeddedCluster } from "./embedded-cluster";
export { ImageReference } from "./image-reference";
export { JoinAddress } from "./join-address";
export { Registrator, type RegistratorProps } from "./registrator";
export { RolloutStep, type RolloutStepProps } from "./rollout-step";
