import { type Authority, type ConsulAnswer, type ConsulApi, type ConsulRequest, Unreachable } from "../consul-api";
import { EXTRA_SECONDS } from "../limits";

/** A request that brings the cluster nearer to what is declared. */
export interface Change {
  readonly method: "PUT" | "POST" | "DELETE";
  readonly path: string;
  /** Text as it is; anything else as JSON. */
  readonly body?: unknown;
}

export interface FailedChange {
  readonly change: Change;
  /** The cluster's answer, or why there is none. */
  readonly reason: string;
}

/** Enough of the failures to show why. */
const MAX_LENGTH = 400;

/** An answer; status 0 and the reason if there is none. */
export async function replyTo(api: ConsulApi, request: ConsulRequest): Promise<ConsulAnswer> {
  try {
    return await api.send(request);
  } catch (error) {
    if (error instanceof Unreachable) return { status: 0, body: error.message };
    throw error;
  }
}

/** Text on one line. */
export const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim();

/** An answer, for a message: `403: Permission denied`. */
export const formatAnswer = ({ status, body }: ConsulAnswer): string =>
  oneLine(status === 0 || status === 200 ? body : `${status}: ${body}`);

/** Makes all changes, in their order, even after one has failed. @returns the failed ones */
export async function applyChanges(
  changes: readonly Change[],
  api: ConsulApi,
  authority: Authority,
): Promise<readonly FailedChange[]> {
  const failed: FailedChange[] = [];
  for (const change of changes) {
    const answer = await replyTo(api, { ...change, authority, waitSeconds: EXTRA_SECONDS });
    if (answer.status !== 200) failed.push({ change, reason: formatAnswer(answer) });
  }
  return failed;
}

export const formatFailures = (failed: readonly FailedChange[]): string =>
  oneLine(failed.map(({ change, reason }) => `${format(change)}: ${reason}`).join(" ")).slice(0, MAX_LENGTH);

interface Named {
  readonly kind?: string;
  readonly name?: string;
  readonly Name?: string;
  readonly Description?: string;
}

/** `PUT /v1/config of service-defaults web`. Of the body only names: it may hold a secret. */
function format({ method, path, body }: Change): string {
  if (typeof body !== "object") return `${method} ${path}`;
  const { kind, name, Name, Description } = body as Named;
  return `${method} ${path} of ${kind ?? ""} ${name ?? Name ?? Description ?? ""}`;
}
