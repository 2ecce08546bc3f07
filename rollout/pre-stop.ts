import { containerState } from "./container-state";
import { pullImage } from "./image-pull";
import { type Replacement, tryNextContainer } from "./next-container";
import { allow, deny, type Meanwhile, type Outcome } from "./outcome";
import type { ReplaceRequest } from "./request";
import { type Consent, type StopTools, whenAllowed } from "./stop-check";

/**
 * What has to hold before Terraform stops an agent's container to replace it: the next image is on the host, accepts the
 * next configuration and may take over the data; and the cluster can do without the agent.
 */
export async function preStop(request: ReplaceRequest, consent: Consent, tools: StopTools): Promise<Outcome> {
  const ended = tools.run.ended();
  if (ended) return ended;
  if (consent.quorumLoss) return allow("not checked, because CONSUL_ALLOW_QUORUM_LOSS is set");
  const { queue } = tools;
  // So that client agents wait for a server from the beginning of its check.
  if (request.role === "server") await queue.join();
  return checked(request, consent, tools).finally(() => queue.leave());
}

async function checked(request: ReplaceRequest, consent: Consent, tools: StopTools): Promise<Outcome> {
  const { dockerInTurn, run } = tools;
  try {
    const known = await beforeTrial(request, consent, tools);
    const ended = run.ended();
    if (ended) return ended;
    if (!("kind" in known)) return await tryAndAsk(request, known, tools);
    // Nothing is stopped, but other checks may wait for an agent that is down: an operation is left for its start.
    if (known.kind === "allow") run.recordStop(request.owner);
    return known;
  } finally {
    await dockerInTurn.leave();
  }
}

/** What the container and its next image tell. @returns what is to be tried, if it runs */
async function beforeTrial(
  { target, next, seconds }: ReplaceRequest,
  consent: Consent,
  { dockerInTurn, run, clock, log }: StopTools,
): Promise<Outcome | Replacement> {
  const { container } = target;
  const before = await containerState(dockerInTurn, container);
  if (before.kind === "deny") return before;
  if (before.kind === "gone") return allow("its container is gone");
  // It has waited in a queue.
  const ended = run.ended();
  if (ended) return ended;
  const pulled = await pullImage({ container, image: next.image, seconds }, dockerInTurn, clock, log);
  if (pulled.kind === "deny") return pulled;
  // One that did not run may have started again, and a pull takes minutes.
  const isKnown = before.kind === "running" && pulled.wasThere;
  const state = isKnown ? before : await containerState(dockerInTurn, container);
  if (state.kind === "deny") return state;
  if (state.kind !== "running") return allow("its container does not run");
  return {
    container,
    image: state.image,
    next: { ...next, image: pulled.id },
    allowsDowngrade: consent.downgrade,
  };
}

/**
 * Tries the next container, and meanwhile asks the cluster, which takes as long. Both have to allow the stop, the cluster
 * after the trial has ended.
 */
async function tryAndAsk(request: ReplaceRequest, replacement: Replacement, tools: StopTools): Promise<Outcome> {
  const { docker, dockerInTurn, run } = tools;
  let tried: Outcome | undefined;
  const trial = tryNextContainer(replacement, dockerInTurn)
    .catch((error: Error) => deny(`its next container cannot be tried: ${error.message}`, "deploy again"))
    .then((outcome) => {
      tried = outcome;
      return dockerInTurn.leave();
    });
  const stop = async (allowed: Outcome, undo: () => Promise<void>): Promise<Outcome> => {
    // The stop of a server that is cut off from the network would be queued, and reach a server that has rejoined.
    const now = await containerState(docker, replacement.container);
    if (now.kind === "deny") {
      await undo();
      return now;
    }
    run.recordStop(request.owner);
    return allowed;
  };
  const meanwhile: Meanwhile = {
    ended: () => run.ended() ?? (tried?.kind === "deny" ? tried : undefined),
    isUndecided: () => tried === undefined,
  };
  return whenAllowed(request, tools, stop, meanwhile).finally(() => trial);
}
