import { Network } from "@cdktf/provider-docker/lib/network";
import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import type { Construct } from "constructs";
import { clusterSchema } from "../cluster/file/schema";
import { DEFAULTS } from "../cluster/resolve/defaults";
import { type BridgeNetwork, DockerHostBase, type DockerHostBaseProps, type IDockerHost } from "./docker-host-base";
import { projectPath } from "./project-path";
import { rejectUnknown } from "./prop-names";
import { rejectWrong } from "./prop-values";
import { terraformId } from "./terraform-id";

/** A host's daemon and address, and the bridge network that is created on it. */
export interface DockerHostProps extends DockerHostBaseProps {
  /** The name of a bridge network to create for this host's agents. @default none: agents use the host's network */
  readonly bridge?: string;
  /** The bridge network's subnet, `a.b.c.0/24`. @default "172.30.86.0/24" */
  readonly subnet?: string;
  /**
   * Registries that need credentials. The provider finds these in `~/.docker/config.json`, or in the variables
   * `DOCKER_REGISTRY_USER` and `DOCKER_REGISTRY_PASS`.
   * @default none
   */
  readonly registries?: readonly string[];
}

/** A host's daemon and address, with the provider that the stack has for it. */
export interface ExistingDockerHostProps extends DockerHostBaseProps {
  /** A provider of the same stack, which reaches the host's daemon. */
  readonly provider: DockerProvider;
  /** A bridge network that exists on the host. @default none: agents use the host's network */
  readonly bridge?: BridgeNetwork;
}

const BASE_PROPS = ["address", "daemon", "mirror"] as const satisfies (keyof DockerHostBaseProps)[];
const PROPS = [...BASE_PROPS, "bridge", "subnet", "registries"] as const satisfies (keyof DockerHostProps)[];
const EXISTING_PROPS = [...BASE_PROPS, "provider", "bridge"] as const satisfies (keyof ExistingDockerHostProps)[];

const SCHEMA = clusterSchema.pick({ subnet: true, registries: true });

/** Written out, because the provider's own default is the home folder of /etc/passwd, whatever HOME says. */
const DOCKER_CONFIG = "~/.docker/config.json";

/**
 * A Docker host: its daemon, and the address at which other hosts reach it.
 * @example
 * ```ts
 * import type { TerraformStack } from "cdktf";
 * import { DockerHost } from "consul-cdktf";
 *
 * declare const stack: TerraformStack;
 * new DockerHost(stack, "node1", { address: "10.0.0.11", daemon: "ssh://root@{address}" });
 * new DockerHost(stack, "node2", {
 *   address: "10.0.0.12",
 *   daemon: { url: "tcp://{address}:2376", certs: "certs/node2" },
 *   bridge: "consul",
 * });
 * ```
 */
export class DockerHost extends DockerHostBase {
  /**
   * A host whose provider, and perhaps network, the stack has already. The rollout reaches the daemon by itself, because
   * a destroy-time provisioner cannot refer to a provider: `daemon` is the address that the provider has.
   * @throws Error for a property that does not exist
   * @throws ClusterError for wrong values
   * @example
   * ```ts
   * import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
   * import type { TerraformStack } from "cdktf";
   * import { DockerHost } from "consul-cdktf";
   *
   * declare const stack: TerraformStack;
   * const provider = new DockerProvider(stack, "docker", { host: "ssh://deploy@10.0.0.31" });
   * const bridge = { name: "apps", subnet: "172.20.0.0/24" };
   * const daemon = "ssh://deploy@{address}";
   * DockerHost.fromProvider(stack, "apps1", { provider, bridge, daemon, address: "10.0.0.31" });
   * ```
   */
  static fromProvider(scope: Construct, id: string, props: ExistingDockerHostProps): IDockerHost {
    return new ExistingDockerHost(scope, id, props);
  }

  /** The provider that reaches this host's daemon, under an alias of the host's name. */
  override readonly provider: DockerProvider;
  /** The network that this host's agents share. Undefined if they use the host's own. */
  override readonly bridge?: BridgeNetwork;
  /** The L1 resource of the bridge network. Undefined if agents use the host's own network. */
  readonly network?: Network;

  /**
   * @throws Error for a property that does not exist
   * @throws ClusterError for wrong values
   */
  constructor(scope: Construct, id: string, props: DockerHostProps) {
    super(scope, id, props);
    rejectUnknown(this, props, PROPS);
    const { subnet, registries } = props;
    rejectWrong(this, { subnet, registries }, SCHEMA);
    const { certs, url } = this.daemon;
    this.provider = new DockerProvider(this, "provider", {
      alias: terraformId(this),
      host: url,
      // Empty, not absent: DOCKER_CONTEXT and DOCKER_CERT_PATH in the operator's environment would redirect every host.
      context: "",
      certPath: certs === undefined ? "" : projectPath(certs),
      registryAuth: registries?.length
        ? registries.map((address) => ({ address, configFile: projectPath(DOCKER_CONFIG) }))
        : undefined,
    });
    if (props.bridge === undefined) return;
    this.bridge = { name: props.bridge, subnet: subnet ?? DEFAULTS.subnet };
    this.network = new Network(this, "network", {
      provider: this.provider,
      name: this.bridge.name,
      ipamConfig: [{ subnet: this.bridge.subnet }],
    });
    this.network.overrideLogicalId(terraformId(this));
  }

  protected override networkReference(bridge: BridgeNetwork): string {
    return this.network?.name ?? bridge.name;
  }
}

class ExistingDockerHost extends DockerHostBase {
  readonly provider: DockerProvider;
  readonly bridge?: BridgeNetwork;

  constructor(scope: Construct, id: string, props: ExistingDockerHostProps) {
    super(scope, id, props);
    rejectUnknown(this, props, EXISTING_PROPS);
    this.provider = props.provider;
    this.bridge = props.bridge;
  }
}
