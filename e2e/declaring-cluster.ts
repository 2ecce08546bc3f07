import type { ClusterFile } from "../cluster/file/schema";
import { type ConsulHttp, eventually } from "./consul";
import { LiveCluster } from "./live-cluster";
import { TestBed } from "./test-bed/test-bed";

type Client = Exclude<NonNullable<ClusterFile["clients"]>[number], string>;
export type Services = NonNullable<Client["services"]>;

/** Consul's own API says whether it answers to everybody. */
const ANSWERS = { http: "http://127.0.0.1:8500/v1/status/leader", interval: "1s" };
export const SHOP = { name: "shop", port: 80, tags: ["v1"], check: { ...ANSWERS, status: "passing" as const } };

export const client = (number: 1 | 2) => `consul-client${number}`;

/** A cluster whose file declares services, keys, config entries and prepared queries. */
export class DeclaringCluster {
  readonly testBed = TestBed.standing();
  private up: LiveCluster | undefined;
  /** The cluster file without what tests declare. */
  base!: ClusterFile;

  /** Brings it up before the tests of a `describe`, and takes it down after them. */
  constructor(name: string) {
    beforeAll(async () => {
      this.up = await LiveCluster.up(this.testBed, name);
      this.base = this.up.file;
    });
    afterAll(() => this.up?.down());
  }

  get cluster(): LiveCluster {
    if (!this.up) throw new Error("the cluster is not up");
    return this.up;
  }

  server(): ConsulHttp {
    return this.cluster.api("consul-server1");
  }

  /** The cluster file, with the first client's own settings, and whatever else is changed. */
  declare(own: Omit<Client, "name">, more: Partial<ClusterFile> = {}): void {
    this.cluster.file = { ...this.base, clients: [{ name: client(1), ...own }, client(2)], ...more };
  }

  /** What is not an agent's, beside the service that it is about. */
  withShop(defined: Partial<ClusterFile>): void {
    this.declare({ services: [SHOP] }, defined);
  }

  /** What a deploy said that went well, and touched nobody. */
  async deployed(): Promise<string> {
    let words = "";
    const touched = await this.cluster.touchedBy(async () => {
      words = (await this.cluster.deploy()).stdout;
    });
    expect(touched).toEqual([]);
    return words;
  }

  async expectEmptyPlan(): Promise<void> {
    expect((await this.cluster.diff()).stdout).toContain("No changes.");
  }

  /** The services of a node, with the worst of their checks. */
  private async catalog(node: string): Promise<Record<string, string>> {
    const checks: { ServiceID: string; Status: string }[] = await this.server().json(`/v1/health/node/${node}`);
    const { Services: services } = await this.server().json(`/v1/catalog/node-services/${node}`);
    const statusOf = (id: string) => {
      const all = checks.filter(({ ServiceID }) => ServiceID === id).map(({ Status }) => Status);
      return ["critical", "warning"].find((status) => all.includes(status)) ?? "passing";
    };
    return Object.fromEntries(
      (services ?? []).map(({ ID, Port = 0 }: { ID: string; Port?: number }) => [`${ID}:${Port}`, statusOf(ID)]),
    );
  }

  expectCatalog(wanted: Record<string, string>, node = client(1)): Promise<void> {
    return eventually(async () => expect(await this.catalog(node)).toEqual(wanted));
  }

  expectCheck(agent: string, id: string, wanted: object): Promise<void> {
    return eventually(async () =>
      expect((await this.cluster.api(agent).json("/v1/agent/checks"))[id]).toMatchObject(wanted),
    );
  }

  value(key: string): Promise<string> {
    return this.server().get(`/v1/kv/${key}?raw&consistent`);
  }

  /** The config entries, by kind/name. Consistent, since a new leader may answer before it has all that was written. */
  async kinds(): Promise<string[]> {
    const entries = await Promise.all(
      ["service-defaults", "service-router", "service-intentions"].map((kind) =>
        this.server().json(`/v1/config/${kind}?consistent`),
      ),
    );
    return entries.flat().map(({ Kind, Name }: { Kind: string; Name: string }) => `${Kind}/${Name}`);
  }
}
