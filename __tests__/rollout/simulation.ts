import type { Clock } from "../../rollout/clock";
import { type ConsulAnswer, type ConsulApi, type ConsulRequest, Unreachable } from "../../rollout/consul-api";
import type { CatalogNode, Member, ServerHealth } from "../../rollout/queries";
import { health, member, raftServer } from "./answers";

/**
 * Time and order of a test. Whatever is asked of a simulated agent happens at a moment that the test chooses among all
 * that are due, so that a run of many checks at once can be repeated in any order; time passes only when nothing else
 * is left to happen.
 */
export class Simulation {
  private time = 0;
  private due: (() => void)[] = [];
  private sleepers: { readonly at: number; wake(): void }[] = [];

  /** @param choose one of so many that are due */
  constructor(private readonly choose: (count: number) => number = () => 0) {}

  readonly clock: Clock = {
    now: () => this.time,
    sleep: (ms) => new Promise((wake) => this.sleepers.push({ at: this.time + ms, wake })),
  };

  get seconds(): number {
    return this.time / 1000;
  }

  /** Lets some work happen at a moment of its own. */
  moment<Value>(work: () => Value): Promise<Value> {
    return new Promise((done, fail) => {
      this.due.push(() => {
        try {
          done(work());
        } catch (error) {
          fail(error);
        }
      });
    });
  }

  at(seconds: number, work: () => void): void {
    void this.clock.sleep(seconds * 1000 - this.time).then(work);
  }

  /** Runs until some work is done. @throws when it takes longer than so many simulated seconds */
  async until<Value>(work: Promise<Value>, seconds = 3600): Promise<Value> {
    let settled = false;
    const end = this.time + seconds * 1000;
    const over = () => {
      settled = true;
    };
    work.then(over, over);
    for (;;) {
      await new Promise((next) => setImmediate(next));
      if (settled) return work;
      if (this.due.length > 0) {
        const [next] = this.due.splice(this.choose(this.due.length), 1);
        next?.();
        continue;
      }
      this.sleepers.sort((a, b) => a.at - b.at);
      const at = this.sleepers[0]?.at;
      if (at === undefined) throw new Error("nothing is left to happen");
      if (at > end) throw new Error(`not done after ${seconds} simulated seconds`);
      this.time = at;
      // All who wake at this time are due together.
      const later = this.sleepers.findIndex((sleeper) => sleeper.at > at);
      const awake = this.sleepers.splice(0, later < 0 ? this.sleepers.length : later);
      this.due.push(...awake.map(({ wake }) => wake));
    }
  }
}

export interface SimulatedServer {
  name: string;
  address: string;
  voter: boolean;
  healthy: boolean;
  /** Of gossip. */
  status: "alive" | "leaving" | "left" | "failed";
  /** Whether it takes connections. */
  up: boolean;
  /** Whether the leader knows it from Raft's log alone. */
  unnamed?: boolean;
  /** Since when it takes connections and answers nothing, in milliseconds; nobody has noticed that yet. */
  hangs?: number;
  /** As its node metadata announces it; null for an agent that has not registered yet. */
  stage?: string | null;
}

export interface SimulatedClient {
  name: string;
  status: "alive" | "leaving" | "left" | "failed";
  /** As its node metadata announces it; null for an agent that has not registered yet. */
  stage?: string | null;
}

type Transaction = readonly [
  { readonly KV: { readonly Key: string; readonly Index: number } },
  { readonly KV: { readonly Key: string; readonly Value: string; readonly Flags: number } },
];

const STATUS = { alive: 1, leaving: 2, left: 3, failed: 4 } as const;

/** A cluster whose state a test writes and reads, behind the paths of Consul's HTTP API that a rollout uses. */
export class SimulatedCluster {
  readonly servers: SimulatedServer[];
  readonly clients: SimulatedClient[] = [];
  hasLeader = true;
  bootstrapped = true;
  /** Paths that are answered in another way: a status and a body, or no answer at all. */
  readonly exceptions = new Map<RegExp, { status: number; body?: string } | "none">();
  readonly requests: string[] = [];
  private readonly kv = new Map<string, { value: string; created: number; modified: number; flags: number }>();
  /** Autopilot asks the servers every 2 s, from this second on. */
  autopilotFrom = 0;
  private index = 10;
  /** Since when which entry is the last one. */
  private readonly written: { readonly at: number; readonly index: number }[] = [];
  /** Of the last entry that was deleted. */
  private deleted = 0;
  private readonly watchers: (() => void)[] = [];

  constructor(
    readonly simulation: Simulation,
    servers = 3,
  ) {
    this.servers = Array.from({ length: servers }, (_, at) => ({
      name: `s${at + 1}`,
      address: `10.0.0.${at + 1}:8300`,
      voter: true,
      healthy: true,
      status: "alive",
      up: true,
    }));
  }

  server(name: string): SimulatedServer {
    const found = this.servers.find((server) => server.name === name);
    if (!found) throw new Error(`there is no server ${name}`);
    return found;
  }

  stored(key: string): string | undefined {
    return this.kv.get(key)?.value;
  }

  flags(key: string): number | undefined {
    return this.kv.get(key)?.flags;
  }

  store(key: string, value: string, flags = 0): void {
    this.change();
    const created = this.kv.get(key)?.created ?? this.index;
    this.kv.set(key, { value, created, modified: this.index, flags });
  }

  /** An entry of the KV store changes: blocking queries look again. */
  private change(): void {
    this.index += 1;
    this.written.push({ at: this.simulation.clock.now(), index: this.index });
    for (const look of this.watchers.splice(0)) look();
  }

  /** The last entry that a server has told autopilot of: when it was asked last, or before it began to hang. */
  private toldIndex({ hangs = Number.POSITIVE_INFINITY }: SimulatedServer): number {
    const asked = (time: number) => Math.floor((time - this.autopilotFrom) / 2000) * 2000 + this.autopilotFrom;
    const last = asked(Math.min(this.simulation.clock.now(), hangs));
    return this.written.findLast(({ at }) => at < last)?.index ?? 10;
  }

  /** Waits for a change, or for a time. */
  private async changeUntil(end: number): Promise<void> {
    const { clock } = this.simulation;
    const changed = new Promise<void>((look) => this.watchers.push(look));
    await Promise.race([changed, clock.sleep(end - clock.now())]);
  }

  keys(): string[] {
    return [...this.kv.keys()].sort();
  }

  /** @param name of the agent that is asked: one that is not up is unreachable */
  api(name: string): ConsulApi {
    const answer = (request: ConsulRequest) =>
      this.simulation.moment(() => {
        this.requests.push(`${request.method} ${request.path}`);
        const server = this.servers.find((one) => one.name === name);
        if (server && !server.up) throw new Unreachable(`${name} is down`);
        return this.answer(name, request);
      });
    return {
      send: async (request) => {
        const query = new URLSearchParams(request.path.split("?")[1]);
        const known = query.get("index");
        const { clock } = this.simulation;
        const end = clock.now() + Number.parseInt(query.get("wait") ?? "0", 10) * 1000;
        for (;;) {
          const given = await answer(request);
          if (known === null || given.index === undefined || given.index > Number(known) || clock.now() >= end)
            return given;
          await this.changeUntil(end);
        }
      },
    };
  }

  connects = (addresses: readonly string[]): Promise<ReadonlySet<string>> =>
    this.simulation.moment(() => {
      const up = this.servers.filter((server) => server.up).map(({ address }) => address);
      return new Set(addresses.filter((address) => up.includes(address)));
    });

  private answer(name: string, { method, path, body }: ConsulRequest): ConsulAnswer {
    for (const [form, exception] of this.exceptions) {
      if (!form.test(`${method} ${path}`)) continue;
      if (exception === "none") throw new Unreachable("no answer");
      return { status: exception.status, body: exception.body ?? "" };
    }
    const [route = "", query = ""] = path.split("?");
    const json = (value: unknown, status = 200): ConsulAnswer => ({ status, body: JSON.stringify(value) });
    if (route.startsWith("/v1/kv/"))
      return this.answerOfKv(method, route.slice("/v1/kv/".length), new URLSearchParams(query), body);
    switch (route) {
      case "/v1/txn":
        return this.answerOfTransaction(JSON.parse(String(body)));
      case "/v1/status/leader":
        return json(this.hasLeader ? (this.servers.find(({ up }) => up)?.address ?? "") : "");
      case "/v1/status/peers":
        return json(this.bootstrapped ? this.servers.filter(({ voter }) => voter).map(({ address }) => address) : []);
      case "/v1/agent/self":
        return json({ Config: { NodeID: `id-${name}` }, Stats: {} });
      case "/v1/agent/members":
        return json(this.members());
      case "/v1/catalog/nodes":
        return json(
          [...this.servers, ...this.clients].map(
            ({ name, stage = "require" }): CatalogNode => ({ Node: name, Meta: metaOf(stage) }),
          ),
        );
      case "/v1/operator/autopilot/health":
        if (!this.hasLeader) return json({}, 500);
        return json(
          { Servers: this.servers.map((server) => healthOf(server, this.toldIndex(server))) },
          this.servers.every(({ healthy }) => healthy) ? 200 : 429,
        );
      case "/v1/operator/raft/configuration":
        if (!this.hasLeader && query !== "stale") return json({}, 500);
        return json({
          Servers: this.servers.filter(({ voter }) => voter).map(({ name, address }) => raftServer(name, address)),
        });
      case "/v1/operator/raft/peer": {
        const id = new URLSearchParams(query).get("id");
        this.servers.splice(
          this.servers.findIndex(({ name }) => `id-${name}` === id),
          1,
        );
        return json(true);
      }
    }
    const left = /^\/v1\/agent\/force-leave\/(.*)$/.exec(route)?.[1];
    for (const member of [...this.servers, ...this.clients]) if (member.name === left) member.status = "left";
    return json("");
  }

  /** A transaction that deletes an entry, and creates it again. */
  private answerOfTransaction([{ KV: old }, { KV: entry }]: Transaction): ConsulAnswer {
    if (!this.hasLeader) return { status: 500, body: "No cluster leader" };
    if (this.kv.get(old.Key)?.modified !== old.Index) return { status: 409, body: "{}" };
    this.kv.delete(old.Key);
    this.store(entry.Key, Buffer.from(entry.Value, "base64").toString(), entry.Flags);
    return { status: 200, body: JSON.stringify({ Results: [{ KV: { ModifyIndex: this.index } }] }) };
  }

  private members(): Member[] {
    const servers = this.servers.map(({ name, address, status }) =>
      member(name, { Addr: address.split(":")[0], Status: STATUS[status] }),
    );
    const clients = this.clients.map(({ name, status }) =>
      member(name, { Addr: "10.0.1.1", Status: STATUS[status], role: "node" }),
    );
    return [...servers, ...clients];
  }

  private answerOfKv(method: string, key: string, query: URLSearchParams, body: unknown): ConsulAnswer {
    if (!this.hasLeader) return { status: 500, body: "No cluster leader" };
    const entry = this.kv.get(key);
    const cas = query.get("cas");
    if (method === "GET" && query.has("recurse")) {
      const found = [...this.kv].filter(([name]) => name.startsWith(key));
      if (found.length === 0) return { status: 404, body: "", index: this.index };
      const index = Math.max(this.deleted, ...found.map(([, { modified }]) => modified));
      const body = JSON.stringify(
        found.map(([Key, { created, modified, flags }]) => ({
          Key,
          CreateIndex: created,
          ModifyIndex: modified,
          Flags: flags,
        })),
      );
      return { status: 200, body, index };
    }
    if (method === "GET") {
      if (!entry) return { status: 404, body: "", index: this.index };
      const Value = Buffer.from(entry.value).toString("base64");
      return {
        status: 200,
        body: JSON.stringify([{ Key: key, Value, ModifyIndex: entry.modified, Flags: entry.flags }]),
        index: entry.modified,
      };
    }
    const wanted = cas === null ? undefined : Number(cas);
    if (wanted !== undefined && wanted !== (entry?.modified ?? 0)) return { status: 200, body: "false" };
    if (method === "PUT") this.store(key, String(body), Number(query.get("flags") ?? 0));
    else {
      this.kv.delete(key);
      this.change();
      this.deleted = this.index;
    }
    return { status: 200, body: "true" };
  }
}

/** An agent's own entry has metadata of Consul's own. */
function metaOf(stage: string | null): CatalogNode["Meta"] {
  if (stage === null) return {};
  return { "consul-network-segment": "", ...(stage === "off" ? {} : { "cdktf-security": stage }) };
}

const healthOf = (
  { name, address, status, voter, healthy, unnamed = false }: SimulatedServer,
  LastIndex: number,
): ServerHealth => {
  const listed = health(name, { Address: address, SerfStatus: status, Voter: voter, Healthy: healthy, LastIndex });
  return unnamed ? { ...listed, Name: "", SerfStatus: "left", Healthy: false } : listed;
};
