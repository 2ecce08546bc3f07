import { type App, TerraformStack } from "cdktf";
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
}

export const synthesizeOwn = (build: (stack: OwnStack) => void): Synthesized =>
  synthesize((app) => build(new OwnStack(app)));
