import { SECRET_FILES } from "../../consul/secrets";
import type { AgentContainer } from "../../rollout/agent-container";
import { type Clock, Stopwatch } from "../../rollout/clock";
import { type ConsulApi, parsed } from "../../rollout/consul-api";
import { SECOND } from "../../rollout/limits";
import { leader } from "../../rollout/queries";
import { readable, readJson } from "../../rollout/reconcile/management";

/** An agent: its API, and the secrets in its container. */
export type VerifiedAgent = Pick<AgentContainer, "readSecret"> & { readonly api: ConsulApi };

interface Roots {
  readonly Roots?: readonly { readonly ID: string }[] | null;
}

/** Sorted IDs of the roots in an answer of Consul's, in one text; "" without any. */
export const rootIds = (answer: Roots | undefined): string =>
  (answer?.Roots ?? [])
    .map(({ ID }) => ID)
    .sort()
    .join(" ");

/**
 * Verifies that the servers accept an agent's own token, and that the agent trusts their Connect CA. A restore may bring
 * another CA, and with a certificate of the old one an agent is connected only as long as its present connection lasts.
 * @param roots IDs of the servers' roots; "" for an agent without a certificate of that CA
 * @param seconds until then; it is verified once at least
 * @returns why it is not verified; undefined when it is
 */
export async function whyNotVerified(
  agent: VerifiedAgent,
  roots: string,
  seconds: number,
  clock: Clock,
): Promise<string | undefined> {
  const begun = new Stopwatch(clock);
  // A configuration file of Consul's.
  const tokens = await agent.readSecret(SECRET_FILES.tokens);
  for (;;) {
    const reason = await problemOf(agent.api, tokens, roots);
    if (reason === undefined || begun.reached(seconds)) return reason;
    await clock.sleep(SECOND);
  }
}

async function problemOf(api: ConsulApi, tokens: string, roots: string): Promise<string | undefined> {
  if ((await leader(api)) === undefined) return "it knows no leader";
  if (tokens !== "" && !(await isAccepted(api, tokens))) return "the servers do not accept its token";
  if (roots !== "" && (await trustedRoots(api)) !== roots) return "it trusts another Connect CA than the servers have";
  return undefined;
}

async function isAccepted(api: ConsulApi, tokens: string): Promise<boolean> {
  const secretId = parsed<{ acl?: { tokens?: { agent?: string } } }>(tokens)?.acl?.tokens?.agent;
  if (secretId === undefined) return false;
  const answer = await readable(readJson<object>(api, "/v1/acl/token/self", { secretId }));
  return typeof answer === "object";
}

/** Without a token: the agent caches the roots for each token, and uses the entry of the anonymous token itself. */
async function trustedRoots(api: ConsulApi): Promise<string | undefined> {
  const answer = await readable(readJson<Roots>(api, "/v1/agent/connect/ca/roots", "anonymous"));
  return typeof answer === "object" ? rootIds(answer) : undefined;
}
