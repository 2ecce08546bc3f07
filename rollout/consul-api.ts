/**
 * Whose rights a request has: `agent` for the agent's token that the cluster accepts; `current`, `former` and
 * `management` for a token of the agent's secrets, whether or not the cluster accepts it; `health` for the token that
 * may read all services and checks, or the agent's where its secrets have none; a token by its SecretID; or nobody's.
 */
export type Authority =
  | "agent"
  | "current"
  | "former"
  | "management"
  | "health"
  | "anonymous"
  | { readonly secretId: string };

export interface ConsulRequest {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** With its query: `/v1/kv/key?cas=0`. */
  readonly path: string;
  /** Text as it is; anything else as JSON. */
  readonly body?: unknown;
  /** @default "agent" */
  readonly authority?: Authority;
  /** Seconds that it may take beyond the usual ones: of a blocking query, or of a slow read or write. @default 0 */
  readonly waitSeconds?: number;
}

export interface ConsulAnswer {
  readonly status: number;
  readonly body: string;
  /** X-Consul-Index, for the next blocking query; undefined where the path has none. */
  readonly index?: number;
}

/** An agent's HTTP API. */
export interface ConsulApi {
  /** @throws Unreachable when there was no whole answer, ContainerUnreachable when nothing could be asked */
  send(request: ConsulRequest): Promise<ConsulAnswer>;
}

/** The agent gave no answer, or half of one; the message says why, as far as it is known. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** The container or its daemon gave no answer. A check ends with it: another agent is asked. */
export class ContainerUnreachable extends Error {
  override readonly name = "ContainerUnreachable";
}

/**
 * JSON of an answer with status 200; undefined for every other answer, and where there is none. What is undefined is
 * unknown, never "no".
 */
export async function read<Value>(api: ConsulApi, path: string): Promise<Value | undefined> {
  const answer = await readOrReason<Value>(api, path);
  return "value" in answer ? answer.value : undefined;
}

/** JSON of an answer with status 200, or why there is none. */
export async function readOrReason<Value>(
  api: ConsulApi,
  path: string,
): Promise<{ readonly value: Value } | { readonly reason: string }> {
  try {
    const { status, body } = await api.send({ method: "GET", path });
    const value = status === 200 ? parsed<Value>(body) : undefined;
    return value === undefined ? { reason: body.trim().replaceAll("\n", " ") || `status ${status}` } : { value };
  } catch (error) {
    if (error instanceof Unreachable) return { reason: error.message };
    throw error;
  }
}

/** An answer, or undefined when there is none. */
export async function answerTo(api: ConsulApi, request: ConsulRequest): Promise<ConsulAnswer | undefined> {
  try {
    return await api.send(request);
  } catch (error) {
    if (error instanceof Unreachable) return undefined;
    throw error;
  }
}

export function parsed<Value>(text: string): Value | undefined {
  try {
    return JSON.parse(text) as Value;
  } catch {
    return undefined;
  }
}
