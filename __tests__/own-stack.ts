import { type App, TerraformStack } from "cdktf";
import { ConsulClient, type ConsulClientProps } from "../constructs/consul-client";
import { ConsulServer, type ConsulServerProps } from "../constructs/consul-server";
import { DockerHost, type DockerHostProps } from "../constructs/docker-host";
import { type Synthesized, synthesize } from "./synthesized";

/** A stack of a user's own, without a cluster file. */
export class OwnStack extends TerraformStack {
  constructor(app: App, id = "mine") {
    super(app, id);
  }

  /** A host at 10.0.0.`number`, named `h<number>`. */
  host(number: number, props: Partial<DockerHostProps> = {}): DockerHost {
    return new DockerHost(this, `h${number}`, {
      address: `10.0.0.${number}`,
      daemon: "ssh://root@{address}",
      ...props,
    });
  }

  /** A server named `s<number>`, on a host of its own. */
  server(number: number, props: Partial<ConsulServerProps> = {}): ConsulServer {
    return new ConsulServer(this, `s${number}`, {
      host: props.host ?? this.host(number),
      bootstrapExpect: 1,
      ...props,
    });
  }

  /** A client agent named `c<number>`, on a host of its own. It joins a server of another program. */
  client(number: number, props: Partial<ConsulClientProps> = {}): ConsulClient {
    const join = [ConsulServer.fromAddress("10.9.9.9")];
    return new ConsulClient(this, `c${number}`, { host: props.host ?? this.host(number), join, ...props });
  }
}

export const synthesizeOwn = (build: (stack: OwnStack) => void): Synthesized =>
  synthesize((app) => build(new OwnStack(app)));
