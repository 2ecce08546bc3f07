import type { ContainerConfig } from "@cdktf/provider-docker/lib/container";
import { Image } from "@cdktf/provider-docker/lib/image";
import type { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import { Construct, type IConstruct } from "constructs";
import { z } from "zod";
import { clusterSchema, hostMapping } from "../cluster/file/schema";
import type { Daemon } from "../cluster/model";
import { daemonOf } from "../cluster/resolve/daemon";
import { addressInSubnet } from "../consul/address";
import type { ExecTarget } from "../rollout/request";
import { ImageReference } from "./image-reference";
import { fromStack } from "./project-path";
import { rejectWrong } from "./prop-values";
import { TerraformRequirements } from "./terraform-requirements";

/** A host that agents run on: a DockerHost, or one whose provider somebody else has set up. */
export interface IDockerHost extends IConstruct {
  /** The host's IP address, at which other hosts reach it. */
  readonly address: string;
  /** The host's Docker daemon, as Terraform's provider and the docker CLI connect to it. */
  readonly daemon: Daemon;
  /** The provider that reaches the host's daemon. */
  readonly provider: DockerProvider;
  /** The network that the host's agents share. Undefined if they use the host's own. */
  readonly bridge?: BridgeNetwork;
  /** How the rollout reaches a container on the host. */
  target(container: string): ExecTarget;
  /** The reference that the host pulls an image by. Images of Docker Hub come through the mirror. */
  pullReference(image: string): string;
  /**
   * The network of a container on the host.
   * @param id the construct's id, on which an address in the bridge network depends
   * @param address the container's address in the bridge network, if it does not depend on the id
   */
  networking(id: string, address?: string): ContainerNetworking;
  /** Pulls an image to the host. The image stays there when the stack is destroyed. */
  pull(scope: Construct, id: string, image: string): Image;
}

/** A bridge network that a host's agents share. */
export interface BridgeNetwork {
  /** Docker's name of the network. */
  readonly name: string;
  /** The network's subnet: `a.b.c.0/24`. */
  readonly subnet: string;
}

/** A container's network, as the L1 resource of the container takes it. */
export type ContainerNetworking = Pick<ContainerConfig, "networkMode" | "networksAdvanced">;

/** A Docker daemon's address, and the certificates of one with TLS. */
export interface DaemonAddress {
  /**
   * The daemon's URL: `unix://`, `ssh://`, `tcp://` (with TLS) or `tcp+insecure://`. `{address}` and `{host}` stand for
   * the host's address and id.
   */
  readonly url: string;
  /** For `tcp://`, the folder of ca.pem, cert.pem and key.pem, relative to the project. @default "~/.docker" */
  readonly certs?: string;
}

/** What describes every host. */
export interface DockerHostBaseProps {
  /** The host's IP address, at which other hosts reach it. Ports of a bridge network are published there. */
  readonly address: string;
  /**
   * The Docker daemon's URL: `unix://`, `ssh://`, `tcp://` (with TLS) or `tcp+insecure://`. `{address}` and `{host}`
   * stand for the host's address and id. Or the `daemon` of another host.
   */
  readonly daemon: string | DaemonAddress | Daemon;
  /** The registry that Docker Hub's images are pulled from: `host[:port][/path]`. @default Docker Hub */
  readonly mirror?: string;
}

const SCHEMA = z.strictObject({
  address: hostMapping.shape.address,
  daemon: clusterSchema.shape.daemon.unwrap(),
  mirror: clusterSchema.shape.mirror,
});

const isResolved = (daemon: DockerHostBaseProps["daemon"]): daemon is Daemon =>
  typeof daemon === "object" && daemon !== null && "kind" in daemon;

/** What every host does for the containers on it. */
export abstract class DockerHostBase extends Construct implements IDockerHost {
  readonly address: string;
  readonly daemon: Daemon;
  abstract readonly provider: DockerProvider;
  abstract readonly bridge?: BridgeNetwork;
  private readonly mirror?: string;

  protected constructor(scope: Construct, id: string, { address, daemon, mirror }: DockerHostBaseProps) {
    super(scope, id);
    this.address = address;
    const resolved = isResolved(daemon);
    rejectWrong(this, { address, mirror, daemon: resolved ? daemon.url : daemon }, SCHEMA);
    this.daemon = resolved ? daemon : daemonOf(daemon, { name: id, address });
    this.mirror = mirror;
    TerraformRequirements.of(this);
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
  networking(id: string, address?: string): ContainerNetworking {
    const { bridge } = this;
    if (!bridge) return { networkMode: "host" };
    const ipv4Address = address ?? addressInSubnet(bridge.subnet, id);
    return { networkMode: "bridge", networksAdvanced: [{ name: this.networkReference(bridge), ipv4Address }] };
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

  /** The bridge network's name, as a container refers to it. */
  protected networkReference(bridge: BridgeNetwork): string {
    return bridge.name;
  }
}
