/** Whose rights a request needs: the agent's own, the cluster's management token, or nobody's. */
export type Authority = "agent" | "management" | "anonymous";

export interface ConsulRequest {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** With its query: `/v1/kv/key?cas=0`. */
  readonly path: string;
  /** Text as it is; anything else as JSON. */
  readonly body?: unknown;
  /** @default "agent" */
  readonly authority?: Authority;
  /** Of a blocking query: how many seconds it may take. @default 0 */
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
  /** @throws Unreachable when there was no whole answer */
  send(request: ConsulRequest): Promise<ConsulAnswer>;
}

/** The agent, its container or its daemon gave no answer; the message says why, as far as it is known. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/**
 * JSON of an answer with status 200; undefined for every other answer, and where there is none. What is undefined is
 * unknown, never "no".
 */
export async function read<Value>(api: ConsulApi, path: string): Promise<Value | undefined> {
  const answer = await answerTo(api, { method: "GET", path });
  return answer?.status === 200 ? parsed<Value>(answer.body) : undefined;
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
