import { containerState } from "./container-state";
import { pullImage } from "./image-pull";
import { tryNextContainer } from "./next-container";
import { allow, type Outcome } from "./outcome";
import type { ReplaceRequest } from "./request";
import { type Consent, type StopTools, whenAllowed } from "./stop-check";

/**
 * What has to hold before Terraform stops an agent's container to replace it: the next image is on the host, accepts the
 * next configuration and may take over the data; and the cluster can do without the agent.
 */
export async function preStop(request: ReplaceRequest, consent: Consent, tools: StopTools): Promise<Outcome> {
  if (consent.quorumLoss) return allow("not checked, because CONSUL_ALLOW_QUORUM_LOSS is set");
  const { container } = request.target;
  const { docker, dockerInTurn, run } = tools;
  const known = await withoutCluster(request, consent, tools).finally(() => dockerInTurn.leave());
  if (known !== "ask the cluster") return known;
  return whenAllowed(request, tools, async (allowed, undo) => {
    // The stop of a server that is cut off from the network would be queued, and reach a server that has rejoined.
    const now = await containerState(docker, container);
    if (now.kind === "deny") {
      await undo();
      return now;
    }
    run.recordStop(request.owner);
    return allowed;
  });
}

/** What the container, its next image and its next configuration tell. */
async function withoutCluster(
  { target, next, seconds }: ReplaceRequest,
  consent: Consent,
  { dockerInTurn, clock, log }: StopTools,
): Promise<Outcome | "ask the cluster"> {
  const { container } = target;
  const before = await containerState(dockerInTurn, container);
  if (before.kind === "deny") return before;
  if (before.kind === "gone") return allow("its container is gone");
  const pulled = await pullImage({ container, image: next.image, seconds }, dockerInTurn, clock, log);
  if (pulled.kind === "deny") return pulled;
  // It may have started again while the image was pulled.
  const state = await containerState(dockerInTurn, container);
  if (state.kind === "deny") return state;
  if (state.kind !== "running") return allow("its container does not run");
  const trial = await tryNextContainer(
    { container, image: state.image, next: { ...next, image: pulled.id }, allowsDowngrade: consent.downgrade },
    dockerInTurn,
  );
  return trial.kind === "allow" ? "ask the cluster" : trial;
}
