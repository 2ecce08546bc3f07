import type { LocalExecProvisioner } from "cdktf";
import { type AskTarget, askEnvironment, DEFAULT_WAIT, quoted, scriptText } from "./ask";
import type { DockerHost } from "./docker-host";

export interface BeforeStopProps {
  readonly host: DockerHost;
  readonly container: string;
  /** The image that the next container runs: it has to be on the host before this one is stopped. */
  readonly image: string;
  /** Seconds to wait for it, and for the servers' consent. Default 120. */
  readonly wait?: number;
  /** For a server: its node name, and the servers that are asked whether it may go, itself first. */
  readonly consent?: { readonly node: string; readonly judges: readonly AskTarget[] };
}

/**
 * What is asked before Terraform stops a container. Terraform alone destroys all containers that it replaces at once; while this question waits,
 * it does not. It refers to nothing but literals, as a destroy-time provisioner must, so its scripts are written out.
 */
export function beforeStop({ host, container, image, wait = DEFAULT_WAIT, consent }: BeforeStopProps): LocalExecProvisioner {
  const question = consent && {
    ASK: scriptText("operator/ask.sh"),
    ...askEnvironment({ script: scriptText("container/question.sh"), wait, arguments: [consent.node], targets: consent.judges }),
  };
  return {
    type: "local-exec",
    when: "destroy",
    command: 'sh -c "$BEFORE_STOP"',
    environment: {
      BEFORE_STOP: scriptText("operator/before-stop.sh"),
      STOP_DOCKER: host.dockerArguments.map(quoted).join(" "),
      STOP_CONTAINER: container,
      STOP_IMAGE: host.pullReference(image),
      STOP_SECONDS: String(wait),
      ...question,
    },
  };
}
