import type { LocalExecProvisioner } from "cdktf";
import { type AskTarget, askEnvironment, DEFAULT_WAIT, quoted, scriptText } from "./ask";
import type { DockerHost } from "./docker-host";

export interface BeforeStopProps {
  readonly host: DockerHost;
  /** The image that the next container runs: it has to be on the host before this one is stopped. */
  readonly image: string;
  /** Seconds to wait for it, and for the servers' consent. Default 120. */
  readonly wait?: number;
  /** For a server: the lock's owner, and the other servers that can be asked whether it may go. */
  readonly consent?: { readonly owner: string; readonly peers: readonly AskTarget[] };
}

/** The names that the container being stopped has, whatever its successor's are. */
const OWN_CONTAINER = "${self.name}";
const OWN_NODE = '${one([for word in self.command : trimprefix(word, "-node=") if startswith(word, "-node=")])}';

/**
 * What is asked before Terraform stops a container. Terraform alone destroys all containers that it replaces at once; while this question waits,
 * it does not. It comes with the new configuration and is about the old container, so it takes names from `self`, which is all that a
 * destroy-time provisioner may refer to: its scripts are written out.
 */
export function beforeStop({ host, image, wait = DEFAULT_WAIT, consent }: BeforeStopProps): LocalExecProvisioner {
  const question = consent && {
    ASK: scriptText("operator/ask.sh"),
    ...askEnvironment({
      script: ["container/lock.sh", "container/question.sh"].map(scriptText).join(""),
      wait,
      arguments: [consent.owner, OWN_NODE],
      targets: [{ host, container: OWN_CONTAINER }, ...consent.peers],
    }),
  };
  return {
    type: "local-exec",
    when: "destroy",
    command: 'sh -c "$BEFORE_STOP"',
    environment: {
      BEFORE_STOP: scriptText("operator/before-stop.sh"),
      STOP_DOCKER: host.dockerArguments.map(quoted).join(" "),
      STOP_CONTAINER: OWN_CONTAINER,
      STOP_IMAGE: host.pullReference(image),
      STOP_SECONDS: String(wait),
      ...question,
    },
  };
}
