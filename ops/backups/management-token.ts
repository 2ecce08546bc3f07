import { ACL_DESCRIPTION, CONTAINER_VARIABLES, PATHS } from "../../consul/contract";
import { SECRET_FILES } from "../../consul/secrets";
import type { AgentContainer } from "../../rollout/agent-container";
import { type Clock, Stopwatch } from "../../rollout/clock";
import { type ConsulAnswer, type ConsulApi, parsed } from "../../rollout/consul-api";
import { EXTRA_SECONDS, SECOND } from "../../rollout/limits";
import type { Log } from "../../rollout/outcome";
import { leader } from "../../rollout/queries";
import { formatAnswer, oneLine, replyTo } from "../../rollout/reconcile/changes";
import { hasManagement } from "../../rollout/reconcile/management";

/** A server: its API, and what only its container knows. */
export type ServerContainer = Pick<AgentContainer, "readSecret" | "run"> & { readonly api: ConsulApi };

const RESET_FILE = `"\${${CONTAINER_VARIABLES.dataFolder}:-${PATHS.data}}/acl-bootstrap-reset"`;

/** Scripts that run in a server's container, as Consul's user, because the data belongs to that user. */
export const IN_CONTAINER = {
  writeReset: `su-exec consul sh -c 'echo "$1" >"$2"' sh "$1" ${RESET_FILE}`,
  removeReset: `su-exec consul rm -f ${RESET_FILE}`,
} as const;

/** Enough of Consul's refusal to show why. */
const MAX_LENGTH = 200;

/**
 * Makes the cluster accept the management token of a server's secrets. A restore brings back the snapshot's tokens, and
 * the leader adds the management token that it was started with. After a rotation or an interrupted restore, that is
 * another token. Then Consul's ACL bootstrap reset is used, which works in the leader's container alone: a file in its
 * data with the number from Consul's refusal.
 * @returns why the cluster does not accept the token; undefined when it does, and without security
 */
export async function reclaimManagementToken(
  server: ServerContainer,
  seconds: number,
  clock: Clock,
  log: Log,
): Promise<string | undefined> {
  const { api } = server;
  const header = (await server.readSecret(SECRET_FILES.managementHeader)).trim();
  if (header === "") return undefined;
  let reason = "there is no leader";
  const begun = new Stopwatch(clock);
  for (; !begun.reached(seconds); await clock.sleep(SECOND)) {
    if (await hasManagement(api, "management")) return undefined;
    if ((await leader(api)) === undefined) continue;
    const refusal = await claim(server, header.replace(/^X-Consul-Token: /, ""));
    if (refusal === undefined) {
      log("the management token of the secrets is the cluster's again");
      return undefined;
    }
    reason = refusal;
  }
  return `the management token of this server's secrets is not the cluster's: ${oneLine(reason).slice(0, MAX_LENGTH)}`;
}

/** @returns Consul's refusal */
async function claim(server: ServerContainer, secretId: string): Promise<string | undefined> {
  const answer = await bootstrap(server, secretId);
  if (answer.status !== 200) return answer.body;
  const accessor = parsed<{ AccessorID?: string }>(answer.body)?.AccessorID;
  // Without the answer: it may hold the SecretID.
  if (accessor === undefined) return "its answer has no token";
  const update = await replyTo(server.api, {
    method: "PUT",
    path: `/v1/acl/token/${accessor}`,
    // The description marks a token of the product.
    body: {
      AccessorID: accessor,
      Description: `${ACL_DESCRIPTION}management`,
      Policies: [{ Name: "global-management" }],
    },
    authority: "management",
    waitSeconds: EXTRA_SECONDS,
  });
  return update.status === 200 ? undefined : formatAnswer(update);
}

async function bootstrap(server: ServerContainer, secretId: string): Promise<ConsulAnswer> {
  const ask = () =>
    replyTo(server.api, {
      method: "PUT",
      path: "/v1/acl/bootstrap",
      body: { BootstrapSecret: secretId },
      authority: "anonymous",
      waitSeconds: EXTRA_SECONDS,
    });
  const answer = await ask();
  const [, index] = /reset index: (\d+)/.exec(answer.body) ?? [];
  if (index === undefined) return answer;
  try {
    await server.run(IN_CONTAINER.writeReset, index);
    return await ask();
  } finally {
    // The leader deletes the file when it reads it. On any other server the file must not stay.
    await server.run(IN_CONTAINER.removeReset);
  }
}
