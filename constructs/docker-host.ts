import type { ContainerConfig } from "@cdktf/provider-docker/lib/container";
import { Image } from "@cdktf/provider-docker/lib/image";
import { Network } from "@cdktf/provider-docker/lib/network";
import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import { Construct } from "constructs";
import type { Daemon } from "../cluster/model";
import { daemonOf } from "../cluster/resolve/daemon";
import { DEFAULTS } from "../cluster/resolve/defaults";
import { addressInSubnet } from "../consul/address";
import type { ExecTarget } from "../rollout/request";
import { ImageReference } from "./image-reference";
import { fromStack, projectPath } from "./project-path";
import { terraformId } from "./terraform-id";
import { TerraformRequirements } from "./terraform-requirements";

/** A Docker daemon's address, and the certificates of one with TLS. */
export interface DaemonAddress {
  /** unix://, ssh://, tcp:// (TLS) or tcp+insecure://, with `{address}` and `{host}` replaced by the host's. */
  readonly url: string;
  /** The folder of ca.pem, cert.pem and key.pem for tcp://, relative to the project. @default "~/.docker" */
  readonly certs?: string;
}

export interface DockerHostProps {
  /** The host's IP address, at which other hosts reach it. Ports of a bridge network are published there. */
  readonly address: string;
  /**
   * The Docker daemon: unix://, ssh://, tcp:// (TLS) or tcp+insecure://, with `{address}` and `{host}` replaced by the
   * host's. Or the `daemon` of another DockerHost.
   */
  readonly daemon: string | DaemonAddress | Daemon;
  /** The name of a bridge network to create for this host's agents. @default none: agents use the host's network */
  readonly bridge?: string;
  /** The bridge network's subnet, a.b.c.0/24. @default "172.30.86.0/24" */
  readonly subnet?: string;
  /** The registry that Docker Hub's images are pulled from: host[:port][/path]. @default Docker Hub */
  readonly mirror?: string;
  /**
   * Registries that need credentials, which are in ~/.docker/config.json or in DOCKER_REGISTRY_USER and _PASS.
   * @default none
   */
  readonly registries?: readonly string[];
}

/** Written out, because the provider's own default is the home folder of /etc/passwd, whatever HOME says. */
const DOCKER_CONFIG = "~/.docker/config.json";

/** A Docker daemon and the address of the host that it runs on. */
export class DockerHost extends Construct {
  readonly address: string;
  readonly daemon: Daemon;
  /** The provider that reaches this host's daemon, under an alias of the host's name. */
  readonly provider: DockerProvider;
  /** The network that this host's agents share. Undefined if they use the host's own. */
  readonly network?: Network;
  /** Docker's name of the agents' network. */
  readonly networkName: string;
  /** The subnet of this host's agents, if they share a network. */
  readonly subnet: string;
  private readonly mirror?: string;

  constructor(scope: Construct, id: string, props: DockerHostProps) {
    super(scope, id);
    this.address = props.address;
    this.daemon =
      typeof props.daemon === "object" && "kind" in props.daemon
        ? props.daemon
        : daemonOf(props.daemon, { name: id, address: props.address });
    this.mirror = props.mirror;
    this.subnet = props.subnet ?? DEFAULTS.subnet;
    this.networkName = props.bridge ?? "host";

    this.provider = new DockerProvider(this, "provider", {
      alias: terraformId(this),
      host: this.daemon.url,
      // Empty, not absent: DOCKER_CONTEXT and DOCKER_CERT_PATH in the operator's environment would redirect every host.
      context: "",
      certPath: this.certs ?? "",
      registryAuth: props.registries?.length
        ? props.registries.map((address) => ({ address, configFile: projectPath(DOCKER_CONFIG) }))
        : undefined,
    });
    TerraformRequirements.of(this);

    if (props.bridge !== undefined) {
      this.network = new Network(this, "network", {
        provider: this.provider,
        name: props.bridge,
        ipamConfig: [{ subnet: this.subnet }],
      });
      this.network.overrideLogicalId(terraformId(this));
    }
  }

  /** The folder of the daemon's certificates, as a Terraform expression. */
  private get certs(): string | undefined {
    return this.daemon.certs === undefined ? undefined : projectPath(this.daemon.certs);
  }

  /** How the rollout reaches a container on this host. */
  target(container: string): ExecTarget {
    const { url, certs } = this.daemon;
    if (certs === undefined) return { daemon: url, container };
    return { daemon: url, certs: certs.startsWith("~") ? certs : fromStack(certs), container };
  }

  /** The reference that this host pulls an image by. Images of Docker Hub come through the mirror. */
  pullReference(image: string): string {
    return ImageReference.parse(image).through(this.mirror).toString();
  }

  /**
   * The network of a container on this host: the host's own, or the bridge network with an address that depends on the id
   * alone. In a bridge network the mode is Docker's default, from which the provider disconnects the container before it
   * connects it to the bridge network. If the mode already named the bridge network, Docker would ignore the address.
   * @param id the construct's id
   * @param address the container's address in the bridge network, if it does not depend on the id
   */
  networking(
    id: string,
    address = addressInSubnet(this.subnet, id),
  ): Pick<ContainerConfig, "networkMode" | "networksAdvanced"> {
    if (!this.network) return { networkMode: "host" };
    const { name } = this.network;
    return { networkMode: "bridge", networksAdvanced: [{ name, ipv4Address: address }] };
  }

  /** Pulls an image to this host. The image stays there when the stack is destroyed. */
  pull(scope: Construct, id: string, image: string): Image {
    return new Image(scope, id, {
      provider: this.provider,
      name: this.pullReference(image),
      keepLocally: true,
      lifecycle: { createBeforeDestroy: true },
    });
  }
}
