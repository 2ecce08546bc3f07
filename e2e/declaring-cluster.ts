import type { ClusterFile } from "../cluster/file/schema";
import { type ConsulHttp, eventually } from "./consul";
import { LiveCluster } from "./live-cluster";
import { TestBed } from "./test-bed/test-bed";

type Client = Exclude<NonNullable<ClusterFile["clients"]>[number], string>;
export type Services = NonNullable<Client["services"]>;

/** The check requests Consul's own API, on a path that needs no token. */
const ANSWERS = { http: "http://127.0.0.1:8500/v1/status/leader", interval: "1s" };
export const SHOP = { name: "shop", port: 80, tags: ["v1"], check: { ...ANSWERS, status: "passing" as const } };

export const client = (number: 1 | 2) => `consul-client${number}`;

/** A cluster whose file declares services, keys, config entries and prepared queries. */
export class DeclaringCluster {
  readonly testBed = TestBed.standing();
  private up: LiveCluster | undefined;
  /** The cluster file without the declarations of tests. */
  base!: ClusterFile;

  /** Deploys the cluster before the tests of a `describe`, and removes it after them. */
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

  /** Sets the cluster file, with settings for the first client agent, and any other changes. */
  declare(own: Omit<Client, "name">, more: Partial<ClusterFile> = {}): void {
    this.cluster.file = { ...this.base, clients: [{ name: client(1), ...own }, client(2)], ...more };
  }

  /** Declares definitions that belong to no agent, beside the service that they are about. */
  withShop(defined: Partial<ClusterFile>): void {
    this.declare({ services: [SHOP] }, defined);
  }

  /** Deploys, expects that this succeeds and touches no agent, and returns the output. */
  async deployed(): Promise<string> {
    let output = "";
    const touched = await this.cluster.touchedBy(async () => {
      output = (await this.cluster.deploy()).stdout;
    });
    expect(touched).toEqual([]);
    return output;
  }

  async expectEmptyPlan(): Promise<void> {
    expect((await this.cluster.diff()).stdout).toContain("No changes.");
  }

  /** The services of a node, each with its worst check status. */
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

  /** The config entries, as kind/name. Consistent, since a new leader may answer before it has every write. */
  async kinds(): Promise<string[]> {
    const entries = await Promise.all(
      ["service-defaults", "service-router", "service-intentions"].map((kind) =>
        this.server().json(`/v1/config/${kind}?consistent`),
      ),
    );
    return entries.flat().map(({ Kind, Name }: { Kind: string; Name: string }) => `${Kind}/${Name}`);
  }
}
