import { Container, type ContainerConfig } from "@cdktf/provider-docker/lib/container";
import type { Image } from "@cdktf/provider-docker/lib/image";
import { Lazy, TerraformOutput } from "cdktf";
import { Construct } from "constructs";
import type { Settings } from "../cluster/file/schema";
import { ClusterError, keyText, type Locate, located } from "../cluster/problem";
import { secretsIn } from "../cluster/validate/secrets";
import { family, gossipAddress } from "../consul/address";
import {
  type AgentConfigProps,
  agentCommand,
  agentConfig,
  agentEnvironment,
  listensOnPrivileged,
  wholeConfig,
} from "../consul/agent-config";
import { dataVolume, declaredVolume, PATHS, REGISTRATOR_IGNORES } from "../consul/contract";
import { type Endpoints, endpointsOf } from "../consul/endpoints";
import { type EffectivePorts, effectivePorts, type Role } from "../consul/ports";
import { AgentSecrets } from "./agent-secrets";
import { type AgentSecurity, hardening, SECURED_ENTRYPOINT, secretUploads, stageOf } from "./agent-security";
import { logging } from "./container-options";
import { DeclaredServices } from "./declared-services";
import type { DockerHost } from "./docker-host";
import { JoinAddress } from "./join-address";
import { preStopCheck } from "./pre-stop";
import { type ExecTarget, RolloutStep, uploadText } from "./rollout-step";
import { terraformId } from "./terraform-id";

export interface ConsulAgentProps extends Settings {
  /** The host that the agent runs on. */
  readonly host: DockerHost;
  /** Consul's datacenter. Default dc1. */
  readonly datacenter?: string;
  /** Agents to join; more can be added with `addRetryJoin`. */
  readonly retryJoin?: readonly JoinAddress[];
  /** Consul's node name. Default the construct's id. */
  readonly node?: string;
  /** The container's name. Default the construct's id. */
  readonly container?: string;
  /** The container's host name. Default the construct's id. */
  readonly hostname?: string;
  /** A volume's name, or a folder of the host if it begins with a slash. Default a volume, <container>-data. */
  readonly data?: string;
  /**
   * The agent is to leave for good: its container is asked for, leaves the cluster and is removed. Its construct stays until then, for Terraform runs no
   * question of a resource that the program no longer has. Default false.
   */
  readonly decommission?: boolean;
  /** TLS, gossip encryption and ACLs. Default none. */
  readonly security?: AgentSecurity;
}

export const DEFAULT_IMAGE = "hashicorp/consul:1.22.2";
/** Consul gives its agents 15 s to finish; Docker kills after 10 s unless told otherwise. */
export const STOP_TIMEOUT_SECONDS = 30;
/** The image's own, behind one that hands leadership over. With --single-child, so that a signal does not reach Consul by another way. */
const ENTRYPOINT = ["/usr/bin/dumb-init", "--single-child", "/bin/sh", PATHS.leaveLeadership] as const;

/** What servers and clients have in common: a container on a host, its data, and the question whether it is in. */
export abstract class ConsulAgent extends Construct {
  readonly host: DockerHost;
  /** Consul's node name. */
  readonly nodeName: string;
  readonly containerName: string;
  readonly ports: EffectivePorts;
  /** The L1 resources, for what this construct does not offer. */
  readonly container: Container;
  readonly image: Image;
  /** Asks, after each start, whether the agent is in: see `Ask`. Undefined for one that is to leave. */
  readonly readiness?: RolloutStep;
  /** Brings the agent's secrets to it when they change. Undefined for one that is to leave, or has none. */
  readonly secrets?: AgentSecrets;
  /** Gives the agent its services and checks. Undefined for one that is to leave. */
  readonly services?: DeclaredServices;
  /** Whether the agent is to leave for good. */
  readonly decommission: boolean;
  /** How another agent joins this one. */
  readonly joinAddress: JoinAddress;
  private readonly retryJoin: JoinAddress[] = [];
  private readonly config: AgentConfigProps;
  private readonly servers: ConsulAgent[] = [];
  /** Where the agent's HTTP API and DNS are reached. */
  readonly endpoints: Endpoints;

  protected constructor(
    scope: Construct,
    id: string,
    readonly role: Role,
    private readonly props: ConsulAgentProps & {
      readonly bootstrapExpect?: number;
      readonly maxParallelClients?: number;
    },
  ) {
    super(scope, id);
    this.refuseSecrets(props);
    const { host } = props;
    this.decommission = props.decommission ?? false;
    this.host = host;
    this.nodeName = props.node ?? id;
    this.containerName = props.container ?? id;
    this.ports = effectivePorts(role, props.ports);
    const { client_addr: client, publish } = props;
    const network = host.network ? "bridge" : "host";
    const { security } = props;
    const httpsOnly = security !== undefined && stageOf(security) === "strict";
    this.endpoints = endpointsOf({
      network,
      address: host.address,
      container: this.containerName,
      client,
      ports: this.ports,
      publish,
      httpsOnly,
    });

    const bind = props.bind_addr ?? (host.network ? undefined : host.address);
    this.joinAddress = JoinAddress.of(
      gossipAddress(props, host.network ? this.containerName : host.address),
      this.ports.serf_lan,
    );
    this.addRetryJoin(...(props.retryJoin ?? []));

    this.image = host.pull(this, "image", props.image ?? DEFAULT_IMAGE);
    this.image.overrideLogicalId(terraformId(this));

    const address = family(this.joinAddress.host) ? this.joinAddress.host : undefined;
    const agent = {
      ...props,
      role,
      node: this.nodeName,
      bind,
      advertise: props.advertise_addr,
      client: this.endpoints.client,
      address,
      stage: security && stageOf(security),
    };
    this.config = { ...agent, retryJoin: [], datacenter: props.datacenter ?? "dc1" };
    const command = Lazy.listValue({
      produce: () =>
        agentCommand({
          ...agent,
          retryJoin: this.retryJoin.map((address) => address.toString(this.ports.serf_lan)).sort(),
        }),
    });
    this.container = new Container(this, "container", {
      provider: host.provider,
      count: this.decommission ? 0 : undefined,
      name: this.containerName,
      image: this.image.imageId,
      hostname: props.hostname ?? id,
      command,
      env: agentEnvironment({
        ports: this.ports,
        http: this.endpoints.local,
        stage: security ? stageOf(security) : "off",
      }),
      entrypoint: entrypoint(role, security),
      restart: props.restart ?? "always",
      ...logging(props.log),
      stopTimeout: STOP_TIMEOUT_SECONDS,
      // The provider stops with this, not with stop_timeout; without it, with SIGKILL.
      destroyGraceSeconds: STOP_TIMEOUT_SECONDS,
      ...host.networking(id),
      ...this.published(host, props),
      ...limits(props.resources),
      ...(security && hardening(listensOnPrivileged(this.ports))),
      labels: labels(props.labels),
      volumes: [
        volume(PATHS.data, props.data ?? dataVolume(this.containerName)),
        volume(PATHS.declared, declaredVolume(this.containerName)),
      ],
      upload: [
        { file: PATHS.agentConfig, content: agentConfig(this.config) },
        { file: PATHS.health, content: uploadText("container/health.sh") },
        ...(role === "server"
          ? [{ file: PATHS.leaveLeadership, content: uploadText("container/leave-leadership.sh") }]
          : []),
        ...(security ? secretUploads(role, security) : []),
      ],
      healthcheck: {
        test: ["CMD", "/bin/sh", PATHS.health],
        interval: "10s",
        timeout: "5s",
        startPeriod: "1m0s",
        retries: 3,
      },
    });
    this.container.overrideLogicalId(terraformId(this));
    this.addPreStopCheck();
    if (this.decommission) return;

    const target = this.execTarget;
    const containerId = this.container.id;
    this.readiness = new RolloutStep(this, "gate", {
      script: "gate",
      readyTimeout: props.ready_timeout,
      arguments: [terraformId(this), role, this.nodeName, props.bootstrapExpect ?? 1],
      readinessOf: terraformId(this),
      targets: [target],
      triggers: [containerId],
    });
    this.readiness.resource.overrideLogicalId(terraformId(this));
    if (security)
      this.secrets = new AgentSecrets(this, "secrets", {
        role,
        target,
        containerId,
        security,
        readyTimeout: props.ready_timeout,
      });
    this.services = new DeclaredServices(this, "services", {
      role,
      node: this.nodeName,
      target,
      containerId,
      services: props.services,
      checks: props.checks,
      readyTimeout: props.ready_timeout,
    });
    this.services.runAfter([this.readiness, ...(this.secrets ? [this.secrets] : [])]);

    const { http, dns } = this.endpoints;
    const output = new TerraformOutput(this, "addresses", {
      value: { join: this.joinAddress.toString(), http, dns, ui: (props.ui ?? true) ? `${http}/ui` : undefined },
    });
    output.overrideLogicalId(terraformId(this));
  }

  /** A cluster file has been looked at before; a program of one's own has not. */
  private refuseSecrets({ config, flags, services, checks, labels, log }: Settings): void {
    const secrets = secretsIn({ config, flags, services, checks, labels, log });
    if (secrets.length === 0) return;
    const locate: Locate = ({ path }) => ({ path: keyText([this.node.path, ...path]) });
    throw new ClusterError(secrets.map((secret) => located(secret, locate)));
  }

  /** Further agents to join at every start. An agent never joins itself: Consul takes that for success, and stops trying. */
  addRetryJoin(...addresses: JoinAddress[]): void {
    for (const address of addresses) {
      if (this.joinAddress.equals(address))
        throw new Error(`${this.nodeName} cannot join itself, at ${address}; name another agent`);
      if (!this.retryJoin.some((known) => known.equals(address))) this.retryJoin.push(address);
    }
  }

  /**
   * The cluster's servers, which are asked whether this agent may be stopped when it cannot tell itself. Asked it is always: a server is stopped only
   * while the others are a healthy quorum, and a client only in its turn.
   */
  addServers(...servers: ConsulAgent[]): void {
    this.servers.push(...servers.filter(({ role, decommission }) => role === "server" && !decommission));
    this.addPreStopCheck();
  }

  private addPreStopCheck(): void {
    const { host, role, decommission } = this;
    const { image = DEFAULT_IMAGE, ready_timeout: readyTimeout, security } = this.props;
    const others = this.servers.filter((server) => server !== this);
    this.container.provisioners = [
      preStopCheck({
        ...{
          host,
          role,
          readyTimeout,
          owner: terraformId(this),
          next: decommission ? undefined : { image, config: wholeConfig(this.config) },
        },
        limit: role === "server" ? others.length + (decommission ? 0 : 1) : (this.props.maxParallelClients ?? 1),
        servers: others.map(({ execTarget }) => execTarget),
        stage: security ? stageOf(security) : "off",
      }),
    ];
  }

  /** Where this agent is asked, by the docker CLI. */
  get execTarget(): ExecTarget {
    return { host: this.host, container: this.containerName };
  }

  /** Where the HTTP API is reached: from anywhere if the agent listens there, else on its own host. */
  get httpAddress(): string {
    return this.endpoints.http;
  }

  private published({ network, address }: DockerHost, { publish }: Settings): Pick<ContainerConfig, "ports"> {
    if (!network) return {};
    const both = (port: string) => (port === "dns" ? ["tcp", "udp"] : ["tcp"]);
    const published = Object.entries(publish ?? {}).flatMap(([port, external]) =>
      both(port).map((protocol) => ({
        internal: this.ports[port as keyof EffectivePorts],
        external,
        ip: address,
        protocol,
      })),
    );
    return published.length > 0 ? { ports: published } : {};
  }
}

/** The image's own, behind what has to be done before and after it. */
function entrypoint(role: Role, security: AgentSecurity | undefined): string[] | undefined {
  if (role === "client") return security && [...SECURED_ENTRYPOINT, "docker-entrypoint.sh"];
  const [init, option, ...leaveLeadership] = ENTRYPOINT;
  return security ? [init, option, ...SECURED_ENTRYPOINT, ...leaveLeadership] : [...ENTRYPOINT];
}

function limits({ memory, cpus, cpuset }: NonNullable<Settings["resources"]> = {}): Partial<ContainerConfig> {
  // Without memory_swap the provider would see a difference in every plan.
  return { memory, memorySwap: memory, cpus: cpus === undefined ? undefined : String(cpus), cpuSet: cpuset };
}

export function labels(own: Settings["labels"] = {}): ContainerConfig["labels"] {
  return Object.entries({ ...REGISTRATOR_IGNORES, ...own })
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, value]) => ({ label, value }));
}

/** A volume is named, not managed: Docker makes it, and no Terraform operation ever deletes it. */
export const volume = (containerPath: string, place: string) => ({
  containerPath,
  ...(place.startsWith("/") ? { hostPath: place } : { volumeName: place }),
});
