import type { Container } from "@cdktf/provider-docker/lib/container";
import type { Image } from "@cdktf/provider-docker/lib/image";
import { Lazy, TerraformOutput } from "cdktf";
import { Construct } from "constructs";
import type { AgentSettings } from "../cluster/model";
import { resolveAgent } from "../cluster/resolve/agents";
import { DEFAULTS } from "../cluster/resolve/defaults";
import { stageOf } from "../cluster/resolve/security";
import { family } from "../consul/address";
import { type AgentConfigProps, agentCommand, uiPath, wholeConfig } from "../consul/agent-config";
import { type ContainerRole, OWN_LABELS } from "../consul/contract";
import type { Endpoints } from "../consul/endpoints";
import type { EffectivePorts, Role } from "../consul/ports";
import type { ExecTarget, StepRequest } from "../rollout/request";
import { agentContainer } from "./agent-container";
import { checkDeclared, checkLabel, checkProps, declaredErrors } from "./agent-prop-checks";
import type { ConsulAgentProps, ConsulCheck, ConsulService, IConsulServer } from "./agent-props";
import { AgentSecrets } from "./agent-secrets";
import { settingsOf } from "./agent-settings";
import { AgentValidation } from "./agent-validation";
import { type AppAgent, AppAgents } from "./app-agents";
import { labels } from "./container-options";
import { type Declared, DeclaredServices } from "./declared-services";
import { orderAgent } from "./deploy-order";
import type { IDockerHost } from "./docker-host-base";
import { JoinAddress } from "./join-address";
import { OWN_CONTAINER, OWN_NODE, preStopRequest } from "./pre-stop";
import { addPreStopCheck } from "./pre-stop-check";
import { RolloutStep } from "./rollout-step";
import { terraformId } from "./terraform-id";

/** What only one of the roles has. */
interface RoleProps {
  /** How many servers the first bootstrap waits for. */
  readonly bootstrapExpect: number;
  /** For a client agent: how many client agents of the cluster may be replaced in parallel. */
  readonly maxParallelClients?: number;
}

/** What a server and a client agent are: a container on a host, its data, and its steps of a deploy. */
export abstract class ConsulAgent extends Construct {
  /** The host that the agent runs on. */
  readonly host: IDockerHost;
  /** Consul's node name. */
  readonly nodeName: string;
  /** The name of the agent's container. */
  readonly containerName: string;
  /** Every port that the agent listens on, by Consul's names; -1 is off. */
  readonly ports: EffectivePorts;
  /** Addresses of the agent's HTTP API and DNS. */
  readonly endpoints: Endpoints;
  /** The address at which other agents join this one. */
  readonly joinAddress: JoinAddress;
  /** Whether the agent is decommissioned. */
  readonly decommission: boolean;
  /** The L1 resource of the container, for options that this construct does not have. */
  readonly container: Container;
  /** The L1 resource of the image. */
  readonly image: Image;
  /** The readiness check after each start. Undefined for a decommissioned agent. */
  readonly readiness?: RolloutStep;
  /** Delivers changed secrets. Undefined for a decommissioned agent, and without security. */
  readonly secrets?: AgentSecrets;
  /** Delivers declared services and checks. Undefined for a decommissioned agent. */
  readonly services?: DeclaredServices;
  private readonly settings: AgentSettings;
  private readonly config: AgentConfigProps;
  private readonly joins: IConsulServer[] = [];
  private declared: Declared;
  private readonly labels: Record<string, string>;
  private readonly servers: AppAgent[] = [];

  /**
   * @throws ClusterError for wrong values, and for a secret, which the synthesized JSON would contain
   * @throws Error for a property that the agent does not have
   */
  protected constructor(
    scope: Construct,
    id: string,
    /** Whether the agent is a server or a client agent. */
    readonly role: Role,
    private readonly props: ConsulAgentProps & RoleProps,
  ) {
    super(scope, id);
    // A cluster file has been checked before. The props of a program have not.
    if (!props.fileSettings) checkProps(this, role, props);
    const { host, security } = props;
    this.host = host;
    this.settings = resolveAgent({
      ...props,
      role,
      name: id,
      settings: settingsOf(props),
      network: host.bridge ? "bridge" : "host",
      address: host.address,
      stage: stageOf(security),
    });
    const { node, container, ports, endpoints, gossip, readyTimeout, services, checks } = this.settings;
    this.declared = { services, checks };
    this.labels = { ...this.settings.labels };
    this.nodeName = node;
    this.containerName = container;
    this.ports = ports;
    this.endpoints = endpoints;
    this.decommission = props.decommission === true;
    this.joinAddress = JoinAddress.of(gossip.address, gossip.port);
    this.addToApp();
    this.config = this.agentConfigProps();
    this.image = this.createImage();
    this.container = this.createContainer();
    const stop = this.decommission ? "decommission" : "pre-stop";
    addPreStopCheck(this.container, `${stop} ${node}`, () => this.preStopRequest());
    if (this.decommission) return;

    const target = this.execTarget;
    const containerId = this.container.id;
    this.readiness = new RolloutStep(this, "gate", {
      subject: node,
      request: {
        step: "readiness",
        target,
        owner: terraformId(this),
        role,
        node,
        expect: props.bootstrapExpect,
        seconds: readyTimeout,
      },
      triggers: [containerId],
    });
    this.readiness.resource.overrideLogicalId(terraformId(this));
    if (security)
      this.secrets = new AgentSecrets(this, "secrets", { role, node, target, containerId, security, readyTimeout });
    const declared = () => this.declared;
    this.services = new DeclaredServices(this, "services", { role, node, target, containerId, declared, readyTimeout });
    orderAgent(this);
    this.createOutput();
  }

  private addToApp(): void {
    const { props, settings, joins } = this;
    if (props.join) this.addJoin(...props.join);
    const entry = { agent: this, settings, joins, bootstrapExpect: props.bootstrapExpect };
    AppAgents.of(this).add(entry);
    if (!props.fileSettings) this.node.addValidation(new AgentValidation(entry));
    const checkedBefore = props.fileSettings && this.declared;
    this.node.addValidation({
      validate: () => (this.declared === checkedBefore ? [] : declaredErrors(settings, this.declared)),
    });
  }

  private agentConfigProps(): AgentConfigProps {
    const { settings, props, joinAddress } = this;
    return {
      ...settings,
      ports: settings.configuredPorts,
      bind: settings.bindAddr,
      advertise: settings.advertiseAddr,
      client: settings.clientAddresses.join(" "),
      address: family(joinAddress.host) ? joinAddress.host : undefined,
      retryJoin: [],
      bootstrapExpect: props.bootstrapExpect,
    };
  }

  private createImage(): Image {
    const image = this.host.pull(this, "image", this.settings.image);
    image.overrideLogicalId(terraformId(this));
    return image;
  }

  private createContainer(): Container {
    const { host, props, settings, image, config, decommission } = this;
    const container = agentContainer(this, "container", {
      settings,
      host,
      decommission,
      labels: this.ownLabels(this.role),
      security: props.security,
      imageId: image.imageId,
      agentConfig: config,
      // Agents to join are added after the container.
      command: Lazy.listValue({ produce: () => agentCommand({ ...config, retryJoin: this.sortedRetryJoin() }) }),
    });
    container.overrideLogicalId(terraformId(this));
    return container;
  }

  private sortedRetryJoin(): string[] {
    return this.joins.map(({ joinAddress }) => joinAddress.toString(this.ports.serf_lan)).sort();
  }

  /** The addresses, as a Terraform output. */
  private createOutput(): void {
    const { http, dns } = this.endpoints;
    const ui = this.settings.ui ? `${http}${uiPath(this.settings)}` : undefined;
    const value = { join: this.joinAddress.toString(), http, dns, ui };
    new TerraformOutput(this, "addresses", { value }).overrideLogicalId(terraformId(this));
  }

  /**
   * Adds servers to join at every start. This agent itself is left out, and a server that is named twice is joined once:
   * a list of all servers may be given.
   * @throws Error for the address of this agent: Consul counts that as a success, and stops trying to join others
   * @throws Error for two servers of one address, or one by two names
   */
  addJoin(...servers: IConsulServer[]): void {
    for (const server of servers.filter((each) => each !== this)) {
      const { joinAddress } = server;
      if (this.joinAddress.equals(joinAddress))
        throw new Error(`${this.node.path} cannot join itself, at ${joinAddress}; name another server`);
      const twin = this.joins.find((known) => known.joinAddress.equals(joinAddress));
      if (twin && named(twin) !== named(server))
        throw new Error(
          `${this.node.path} would join two servers of one address: ${named(twin)} and ${named(server)}; name each server once`,
        );
      if (!twin) this.joins.push(server);
    }
    AppAgents.of(this).changed();
  }

  /**
   * Adds services that the agent registers, in the format of Consul's configuration files.
   * @throws ClusterError for a wrong value, for a secret, which the synthesized JSON would contain, and for an id that
   * another service has
   * @example
   * ```ts
   * import type { ConsulAgent } from "consul-cdktf";
   *
   * declare const agent: ConsulAgent;
   * agent.addService({ name: "shop", port: 80, check: { http: "http://localhost", interval: "10s" } });
   * ```
   */
  addService(...services: ConsulService[]): void {
    this.declare({ ...this.declared, services: [...this.declared.services, ...services] });
  }

  /**
   * Adds checks of the node, or of a service by `service_id`, in the format of Consul's configuration files.
   * @throws ClusterError for a wrong value, for a secret, which the synthesized JSON would contain, and for an id that
   * another check has
   * @example
   * ```ts
   * import type { ConsulAgent } from "consul-cdktf";
   *
   * declare const agent: ConsulAgent;
   * agent.addCheck({ name: "metrics", http: "http://localhost:9100/metrics", interval: "30s" });
   * ```
   */
  addCheck(...checks: ConsulCheck[]): void {
    this.declare({ ...this.declared, checks: [...this.declared.checks, ...checks] });
  }

  private declare(declared: Declared): void {
    checkDeclared(this, declared);
    this.declared = declared;
  }

  /**
   * Adds a label of the container.
   * @throws ClusterError for a secret, which the synthesized JSON would contain
   * @throws Error if the label has another value already
   */
  addLabel(name: string, value: string): void {
    checkLabel(this, name, value);
    const before = Object.hasOwn(this.labels, name) ? this.labels[name] : undefined;
    if (before !== undefined && before !== value)
      throw new Error(
        `${this.node.path}: the label "${name}" has two values: "${before}" and "${value}"; set it once, in \`labels\` or by addLabel`,
      );
    this.labels[name] = value;
    this.container.putLabels(labels(this.ownLabels(this.role), this.labels));
  }

  /**
   * The product's own labels of this agent's container, or of one that belongs to this agent.
   * @internal
   */
  ownLabels(role: ContainerRole): Record<string, string> {
    const { cluster } = this.props;
    return {
      ...(cluster === undefined ? {} : { [OWN_LABELS.cluster]: cluster }),
      [OWN_LABELS.agent]: terraformId(this),
      [OWN_LABELS.role]: role,
    };
  }

  /**
   * Names servers of the cluster that joins do not show. The pre-stop check asks them if this agent does not know the
   * answer. It always runs: a server is stopped only while the others are a healthy quorum, and a client agent only when
   * it has a rollout slot.
   */
  addServers(...servers: ConsulAgent[]): void {
    this.servers.push(...servers.filter(({ role, decommission }) => role === "server" && !decommission));
  }

  private preStopRequest(): StepRequest {
    const { host, role, decommission, settings } = this;
    const known = new Set([...this.servers, ...AppAgents.of(this).clusterOf(this).servers]);
    const others = [...known].filter((server) => server !== this);
    const staying = others.length + (decommission ? 0 : 1);
    return preStopRequest({
      target: host.target(OWN_CONTAINER),
      role,
      owner: terraformId(this),
      node: OWN_NODE,
      next: decommission
        ? undefined
        : {
            image: host.pullReference(settings.image),
            config: wholeConfig(this.config),
            network: host.bridge?.name ?? "host",
            stage: settings.stage,
          },
      seconds: settings.readyTimeout,
      limit: role === "server" ? staying : (this.props.maxParallelClients ?? DEFAULTS.maxParallelClients),
      servers: others.map(({ execTarget }) => execTarget),
    });
  }

  /** The container in which the steps of a deploy ask this agent. */
  get execTarget(): ExecTarget {
    return this.host.target(this.containerName);
  }

  /** The URL of the HTTP API: from anywhere if the agent listens there, else from its own host. */
  get httpAddress(): string {
    return this.endpoints.http;
  }
}

/** A server as messages name it: the path of a construct, or how the program names another's. */
const named = (server: IConsulServer): string =>
  Construct.isConstruct(server) ? server.node.path : `ConsulServer.fromAddress("${server.joinAddress}")`;
