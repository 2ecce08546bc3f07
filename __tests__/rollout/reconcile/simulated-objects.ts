import { randomUUID } from "node:crypto";
import {
  type Authority,
  type ConsulAnswer,
  type ConsulApi,
  type ConsulRequest,
  Unreachable,
} from "../../../rollout/consul-api";
import type { Outcome } from "../../../rollout/outcome";
import { Simulation } from "../simulation";

type Json = Record<string, unknown>;

const json = (value: unknown): ConsulAnswer => ({ status: 200, body: JSON.stringify(value) });
const absent: ConsulAnswer = { status: 404, body: "" };

/** A cluster's ACLs, KV store, config entries, prepared queries and settings, behind the paths of Consul's HTTP API. */
export class SimulatedObjects {
  readonly simulation = new Simulation();
  readonly policies: Json[] = [];
  readonly tokens: Json[] = [];
  readonly kv = new Map<string, unknown>();
  readonly entries: Json[] = [];
  readonly queries: Json[] = [];
  autopilot: Json = { CleanupDeadServers: true, MinQuorum: 0, CreateIndex: 5, ModifyIndex: 7 };
  hasLeader = true;
  bootstrapped = true;
  /** Whether ACLs are enforced. */
  isSecured = false;
  /** The SecretID of the asked server's own management token. */
  management = "secret-m";
  /** Requests that are answered in another way: a status and a body, or no answer at all. */
  readonly exceptions = new Map<RegExp, { status: number; body?: string } | "none">();
  /** Those that change something. */
  readonly changes: string[] = [];
  readonly log: string[] = [];

  readonly api: ConsulApi = { send: (request) => this.simulation.moment(() => this.answer(request)) };

  /** Runs a step to its end. */
  async run(
    step: (api: ConsulApi, clock: Simulation["clock"], log: (line: string) => void) => Promise<Outcome>,
  ): Promise<{ outcome: Outcome; seconds: number; log: string[] }> {
    const { api, simulation } = this;
    const outcome = await simulation.until(step(api, simulation.clock, (line) => this.log.push(line)));
    return { outcome, seconds: simulation.seconds, log: this.log };
  }

  private answer({ method, path, body, authority = "agent" }: ConsulRequest): ConsulAnswer {
    if (method !== "GET") this.changes.push(`${method} ${path}`);
    for (const [form, exception] of this.exceptions) {
      if (!form.test(`${method} ${path}`)) continue;
      if (exception === "none") throw new Unreachable("its API gave no answer within 5 s");
      return { status: exception.status, body: exception.body ?? "" };
    }
    const [route = "", query = ""] = path.split("?");
    const [, , area, kind = "", ...rest] = route.split("/").map(decodeURIComponent);
    if (area === "status")
      return json(
        kind === "leader" ? (this.hasLeader ? "10.0.0.1:8300" : "") : this.bootstrapped ? ["10.0.0.1:8300"] : [],
      );
    if (!this.hasLeader) return { status: 500, body: "No cluster leader" };
    if (area === "operator") return this.answerOfAutopilot(method, new URLSearchParams(query), body as Json);
    const token = this.tokens.find(({ SecretID }) => SecretID === this.secretIdOf(authority));
    if (area === "acl" && rest[0] === "self") return token ? json(token) : { status: 403, body: "ACL not found" };
    if (this.isSecured && !token) return { status: 403, body: "Permission denied" };
    switch (area) {
      case "acl":
        return kind.startsWith("polic")
          ? answerOf(this.policies, "ID", method, rest[0], body as Json)
          : answerOf(this.tokens, "AccessorID", method, rest[0], body as Json);
      case "kv":
        return this.answerOfKv(method, [kind, ...rest].join("/"), new URLSearchParams(query), body);
      case "query":
        return answerOf(this.queries, "ID", method, kind || undefined, body as Json);
      case "config":
        return this.answerOfConfig(method, kind, rest.join("/"), body as Json);
      default:
        return absent;
    }
  }

  private secretIdOf(authority: Authority): unknown {
    return typeof authority === "object"
      ? authority.secretId
      : authority === "management"
        ? this.management
        : undefined;
  }

  private answerOfAutopilot(method: string, query: URLSearchParams, body: Json): ConsulAnswer {
    const { ModifyIndex } = this.autopilot;
    if (method === "GET") return json(this.autopilot);
    if (Number(query.get("cas")) !== ModifyIndex) return json(false);
    this.autopilot = { ...body, CreateIndex: 5, ModifyIndex: Number(ModifyIndex) + 1 };
    return { status: 200, body: "true\n" };
  }

  private answerOfKv(method: string, key: string, query: URLSearchParams, body: unknown): ConsulAnswer {
    if (method === "GET") {
      const value = this.kv.get(key);
      if (value === undefined) return absent;
      return typeof value === "string" ? { status: 200, body: value } : json(value);
    }
    if (method === "DELETE") return json(this.kv.delete(key));
    if (query.get("cas") === "0" && this.kv.has(key)) return json(false);
    this.kv.set(key, body);
    return json(true);
  }

  private answerOfConfig(method: string, kind: string, name: string, body: Json): ConsulAnswer {
    const at = (of: unknown, called: unknown) =>
      this.entries.findIndex(({ Kind, Name }) => Kind === of && Name === called);
    if (method === "GET") return json(this.entries.filter(({ Kind }) => Kind === kind));
    if (method === "DELETE") {
      this.entries.splice(at(kind, name), 1);
      return json(true);
    }
    const index = at(body.kind, body.name);
    this.entries.splice(index < 0 ? this.entries.length : index, 1, { ...body, Kind: body.kind, Name: body.name });
    return json(true);
  }
}

/** A list of objects whose items have an ID of Consul's. */
function answerOf(list: Json[], idOf: string, method: string, id: string | undefined, body: Json): ConsulAnswer {
  const index = list.findIndex((item) => item[idOf] === id);
  if (method === "GET") return json(id === undefined ? list : list[index]);
  if (method === "DELETE") {
    list.splice(index, 1);
    return json(true);
  }
  if (id === undefined) list.push({ ...body, [idOf]: randomUUID() });
  else list[index] = { ...list[index], ...body };
  return json(true);
}
