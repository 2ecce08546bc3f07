import { AnnotationMetadataEntryType, TerraformStack } from "cdktf";
import type { AgentDescription, Cluster, HostDescription, JoinTarget, RegistratorDescription } from "../cluster/model";
import { describeProblem } from "../cluster/problem";
import { DEFAULTS } from "../cluster/resolve/defaults";
import { addressInSubnet, freeInSubnet } from "../consul/address";
import { byApiNames } from "../consul/api-names";
import { backupsId, hostId, imageId, registratorId, stackName, stepId } from "../consul/contract";
import { agentSecrets, SECRET_FILES } from "../consul/secrets";
import type { StepRequest } from "../rollout/request";
import { BackupSchedule } from "./backup-schedule";
import type { ConsulAgent } from "./consul-agent";
import { ConsulClient, type ConsulClientProps } from "./consul-client";
import { ConsulServer } from "./consul-server";
import { orderStack } from "./deploy-order";
import { DockerHost } from "./docker-host";
import { escapedAll } from "./escape";
import { JoinAddress } from "./join-address";
import { fromStack } from "./project-path";
import { Registrator } from "./registrator";
import { RolloutStep } from "./rollout-step";
import { SecuritySteps } from "./security-steps";
import { TerraformRequirements } from "./terraform-requirements";

/**
 * What a cluster consists of in its stacks: hosts, agents and their joins, and the last step of a deploy, which requires
 * that all servers are voters. It stands directly in the stacks, because resources have the agents' names as their ids.
 *
 * Agents' names have no underscore (see LABEL), so an id with an underscore is never an agent's.
 */
export class ClusterConstructs {
  readonly agents: ReadonlyMap<string, ConsulAgent>;
  /** Registrators by host name. */
  readonly registrators: ReadonlyMap<string, Registrator>;
  /** The stack that has the cluster's name. */
  private readonly own: TerraformStack;

  /** @param stacks all stacks of the cluster by name */
  constructor(
    cluster: Cluster,
    private readonly stacks: ReadonlyMap<string, TerraformStack>,
  ) {
    this.own = this.stackNamed(cluster.name);
    const hosts = new Map(cluster.hosts.map((host) => [host.name, this.addHost(host, cluster)]));
    this.agents = new Map(cluster.agents.map((agent) => [agent.name, this.addAgent(agent, hosts, cluster)]));
    this.registrators = new Map(
      cluster.registrators.map((registrator) => [registrator.host.name, this.addRegistrator(registrator, cluster)]),
    );
    for (const { name, join } of cluster.agents)
      this.agents.get(name)?.addJoin(...join.map((target) => ConsulServer.fromAddress(this.joinAddressOf(target))));

    const servers = [...this.agents.values()].filter((agent) => agent instanceof ConsulServer);
    for (const agent of this.agents.values()) agent.addServers(...servers);

    const staying = servers.filter(({ decommission }) => !decommission);
    for (const stack of this.stacks.values()) this.addSteps(stack, cluster, staying);
    this.addBackups(staying, cluster);
    for (const warning of cluster.warnings)
      this.own.node.addMetadata(AnnotationMetadataEntryType.WARN, describeProblem(warning));
  }

  private stackNamed(name: string): TerraformStack {
    return this.stacks.get(name) as TerraformStack;
  }

  private addHost(host: HostDescription, cluster: Cluster): DockerHost {
    const stack = this.stackNamed(stackName(cluster.name, host.group));
    const { address } = host;
    const { mirror, subnet } = cluster;
    const { daemon, registries } = escapedAll({ daemon: host.daemon, registries: cluster.registries });
    const construct = new DockerHost(stack, hostId(host.name), {
      address,
      daemon,
      mirror,
      registries,
      subnet,
      bridge: cluster.network === "bridge" ? cluster.name : undefined,
    });
    TerraformRequirements.of(construct).requireTriedProvider();
    for (const image of cluster.images) construct.pull(stack, `${host.name}_${imageId(image)}`, image);
    return construct;
  }

  private addAgent(agent: AgentDescription, hosts: ReadonlyMap<string, DockerHost>, cluster: Cluster): ConsulAgent {
    const host = hosts.get(agent.host.name) as DockerHost;
    const stack = TerraformStack.of(host);
    const { node, container, hostname, data, decommission } = agent;
    const props: ConsulClientProps & { bootstrapExpect: number } = {
      fileSettings: escapedAll(agent.fileSettings),
      ...escapedAll({ node, container, hostname, data }),
      host,
      decommission,
      cluster: cluster.name,
      metrics: cluster.metrics !== undefined,
      datacenter: cluster.datacenter,
      security: cluster.security && {
        stage: cluster.security.stage,
        secrets: agentSecrets(cluster.security, agent.name),
      },
      maxParallelClients: cluster.maxParallelClients,
      // A client agent may find too few servers only in a stack of servers, or in one that is deployed before the others.
      // In this stack with security, its readiness check comes after the ACL step, which comes after the
      // servers.
      bootstrapExpect:
        agent.role === "server" || (stack === this.own && !cluster.security) || this.own.dependencies.includes(stack)
          ? cluster.bootstrapExpect
          : DEFAULTS.expectedServers,
    };
    return new { server: ConsulServer, client: ConsulClient }[agent.role](stack, agent.name, props);
  }

  private addRegistrator(
    { host, agent, fileSettings }: RegistratorDescription,
    { security, log, readyTimeout }: Cluster,
  ): Registrator {
    const construct = this.agents.get(agent) as ConsulAgent;
    const id = registratorId(host.name);
    return new Registrator(TerraformStack.of(construct), id, {
      fileSettings: escapedAll(fileSettings),
      log: escapedAll(log),
      agent: construct,
      hostname: host.name,
      security,
      readyTimeout,
    });
  }

  private joinAddressOf(target: JoinTarget): JoinAddress {
    return "address" in target
      ? JoinAddress.of(target.address, target.port)
      : (this.agents.get(target.agent) as ConsulAgent).joinAddress;
  }

  /** The steps of a stack, in the order of deploy-order.ts. */
  private addSteps(stack: TerraformStack, cluster: Cluster, servers: readonly ConsulServer[]): void {
    const agents = [...this.agents.values()].filter(
      (agent) => !agent.decommission && TerraformStack.of(agent) === stack,
    );
    const own = stack === this.own;
    const { security } = cluster;
    const hasServers = agents.some(({ role }) => role === "server");
    const securitySteps =
      security && (own || hasServers)
        ? new SecuritySteps(stack, stepId("security"), { cluster, security, servers })
        : undefined;
    const registrators = [...this.registrators.values()].filter((construct) => TerraformStack.of(construct) === stack);
    orderStack({
      agents,
      registratorTokens: registrators.flatMap(({ token }) => (token ? [{ resource: token }] : [])),
      acl: securitySteps?.acl,
      gossip: securitySteps?.gossip,
      voters: own ? this.addVoters(servers, cluster) : undefined,
      autopilot: own ? this.addAutopilot(servers, cluster) : undefined,
      definitions: own ? this.addDefinitions(servers, cluster) : undefined,
    });
  }

  private addBackups(
    servers: readonly ConsulServer[],
    { backups, security, network, subnet, agents, registrators }: Cluster,
  ): void {
    if (!backups) return;
    const others = [...agents.map(({ name }) => name), ...registrators.map(({ host }) => registratorId(host.name))];
    const taken = new Set(others.map((id) => addressInSubnet(subnet, id)));
    for (const server of servers) {
      const id = backupsId(server.node.id);
      const address = network === "bridge" ? freeInSubnet(subnet, id, taken) : undefined;
      if (address) taken.add(address);
      new BackupSchedule(TerraformStack.of(server), id, {
        ...escapedAll(backups),
        server,
        address,
        security: security && { token: security.secrets, certificates: agentSecrets(security, server.node.id) },
      });
    }
  }

  /** Fails the deploy unless all servers are voters. */
  private addVoters(servers: readonly ConsulServer[], { readyTimeout }: Cluster): RolloutStep {
    const own = servers.filter((server) => TerraformStack.of(server) === this.own);
    const request: StepRequest = {
      step: "voters",
      nodes: servers.map(({ nodeName }) => nodeName),
      servers: servers.map(({ execTarget }) => execTarget),
      seconds: readyTimeout,
    };
    return this.addStep("quorum", request, [
      ...own.map(({ container }) => container.id),
      servers.map(({ nodeName, joinAddress }) => `${nodeName}=${joinAddress}`).join(" "),
    ]);
  }

  /**
   * Writes autopilot's settings to the running cluster. Consul reads the settings in agents' files only at the first
   * bootstrap.
   */
  private addAutopilot(servers: readonly ConsulServer[], { autopilot, readyTimeout }: Cluster): RolloutStep {
    // The agent configuration's names become the API's (developer.hashicorp.com/consul/api-docs/operator/autopilot).
    const settings = escapedAll(byApiNames(autopilot) as Record<string, unknown>);
    const request: StepRequest = {
      step: "autopilot",
      settings,
      servers: servers.map(({ execTarget }) => execTarget),
      seconds: readyTimeout,
    };
    return this.addStep("autopilot", request, [JSON.stringify(settings)]);
  }

  /**
   * Writes keys, config entries, intentions and prepared queries. A cluster without any has this step too, because
   * objects that were declared before must be removed.
   */
  private addDefinitions(
    servers: readonly ConsulServer[],
    { definitions, security, readyTimeout }: Cluster,
  ): RolloutStep {
    const objects = escapedAll(definitions);
    const request: StepRequest = {
      step: "definitions",
      objects,
      secrets: security && fromStack(`${security.secrets}/${SECRET_FILES.acl}`),
      servers: servers.map(({ execTarget }) => execTarget),
      seconds: readyTimeout,
    };
    return this.addStep("definitions", request, [JSON.stringify(objects)]);
  }

  /** A step of the cluster's own stack. */
  private addStep(name: string, request: StepRequest, triggers: readonly string[]): RolloutStep {
    const step = new RolloutStep(this.own, stepId(name), { subject: this.own.node.id, request, triggers });
    step.resource.overrideLogicalId(stepId(name));
    return step;
  }
}
