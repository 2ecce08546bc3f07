import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConsulHttp, eventually } from "./consul";
import type { Credentials } from "./credentials";
import { documented } from "./documented";
import { Project } from "./project";
import type { DockerHost } from "./test-bed/docker-host";
import { TestBed } from "./test-bed/test-bed";

const testBed = TestBed.standing();
const SITES = {
  east: { server: "172.16.8.120", client: "172.16.8.110" },
  west: { server: "172.16.8.121", client: "172.16.8.122" },
} as const;
type Site = keyof typeof SITES;
const EAST_AND_WEST = Object.keys(SITES) as Site[];
const other = (site: Site): Site => (site === "east" ? "west" : "east");

function hostAt(address: string): DockerHost {
  const host = testBed.hosts.find((each) => each.address === address);
  if (!host) throw new Error(`the test bed has no host at ${address}`);
  return host;
}

/** Two datacenters, a cluster file each, in one operator's folder. */
class Datacenters {
  readonly project = new Project(testBed.operator, "east.yaml");

  constructor(private readonly settings: (site: Site) => { readonly all: object; readonly server?: object }) {}

  /** @param more keys of the file besides the agents @param services of the client agent */
  async deploy(site: Site, more: object = {}, services: readonly object[] = []): Promise<string> {
    const { server, client } = SITES[site];
    const { all, server: own } = this.settings(site);
    const file = {
      ...{
        name: site,
        datacenter: site,
        daemon: "ssh://root@{address}",
        hosts: { s: server, c: client },
        ...all,
        ...more,
      },
      servers: [{ name: `${site}-server1`, host: "s", ...own }],
      clients: [{ name: `${site}-client`, host: "c", services }],
    };
    writeFileSync(join(this.project.folder, `${site}.yaml`), JSON.stringify(file));
    if (!("security" in all)) await this.run(site, "secrets", "init");
    return (await this.run(site, "deploy", "--auto-approve")).stdout;
  }

  run(site: Site, script: string, ...args: string[]) {
    return this.project.run("npm", ["run", "-s", script, "--", ...args], { env: { CLUSTER: `${site}.yaml` } });
  }

  /** The address that a client agent's DNS has for a name, looked up on the agent's own host. */
  async lookUp(site: Site, name: string): Promise<string> {
    return (await hostAt(SITES[site].client).run("dig", ["+short", "-p", "8600", "@127.0.0.1", name])).stdout.trim();
  }

  /** Each datacenter's status and plan show that one alone, and a destroy removes that one alone. */
  async expectTwoOfTheirOwn(): Promise<void> {
    for (const site of EAST_AND_WEST) {
      expect((await this.run(site, "status")).stdout).toContain(
        `datacenter ${site} · 1 server and 1 client on 2 hosts`,
      );
      expect((await this.project.cdktf(["diff"], { env: { CLUSTER: `${site}.yaml` } })).stdout).toContain(
        "No changes.",
      );
    }
    await this.destroy("west");
    expect((await this.run("east", "status")).stdout).toContain("datacenter east · 1 server and 1 client on 2 hosts");
    await this.destroy("east");
  }

  private async destroy(site: Site): Promise<void> {
    await this.project.destroy({ env: { CLUSTER: `${site}.yaml` } });
  }
}

describe("plain datacenters, federated", () => {
  const datacenters = new Datacenters((site) => ({
    all: { security: "off", ignore: ["open-http"], client_addr: "0.0.0.0" },
    server: { config: { retry_join_wan: [SITES[other(site)].server] } },
  }));
  const client = (site: Site) => new ConsulHttp(testBed.operator.machine, `http://${SITES[site].client}:8500`);
  beforeAll(() => testBed.reset());
  afterAll(() => datacenters.project.remove());

  test("find each other, whichever one is deployed first", async () => {
    for (const site of EAST_AND_WEST) expect(await datacenters.deploy(site)).toContain(`voters: ${site}-server1`);
    for (const site of EAST_AND_WEST)
      await eventually(async () =>
        expect((await client(site).json("/v1/catalog/datacenters")).sort()).toEqual(EAST_AND_WEST),
      );
  });

  test("each one's keys and services are found from the other, by HTTP and by DNS", async () => {
    for (const site of EAST_AND_WEST) await datacenters.deploy(site, { kv: { site } }, [{ name: "shop", port: 80 }]);
    for (const site of EAST_AND_WEST) {
      const there = other(site);
      expect(await client(site).get(`/v1/kv/site?raw&dc=${there}`)).toBe(there);
      await eventually(async () =>
        expect(await datacenters.lookUp(site, `shop.service.${there}.consul`)).toBe(SITES[there].client),
      );
    }
  });

  test("are separate clusters", () => datacenters.expectTwoOfTheirOwn());
});

/** The commands that peer the two. */
const PEERING = documented("docs/layouts.md", "sh", "## Several datacenters").join("");

describe("secured datacenters, peered", () => {
  // As on the page: only servers have another `client_addr` than the default.
  const datacenters = new Datacenters(() => ({ all: {}, server: { client_addr: "0.0.0.0" } }));
  const server = (site: Site): ConsulHttp => {
    const file = (name: string) => join(datacenters.project.folder, "secrets", site, "operator", name);
    const credentials: Credentials = {
      ca: file("ca.pem"),
      cert: file("cert.pem"),
      key: file("key.pem"),
      header: file("token.header"),
    };
    return new ConsulHttp(testBed.operator.machine, `https://${SITES[site].server}:8501`, credentials);
  };
  beforeAll(() => testBed.reset());
  afterAll(() => datacenters.project.remove());

  const exported = {
    kind: "exported-services",
    name: "default",
    services: [{ name: "shop", consumers: [{ peer: "east" }] }],
  };
  const deployAll = async (config: object) => {
    await datacenters.deploy("east", { config });
    await datacenters.deploy("west", { config, config_entries: [exported] }, [
      { name: "shop", port: 80 },
      { name: "till", port: 81 },
    ]);
  };
  const expectPeered = async () => {
    await eventually(async () =>
      expect(await server("east").json("/v1/peering/west")).toMatchObject({ State: "ACTIVE" }),
    );
    await eventually(async () =>
      expect(await datacenters.lookUp("east", "shop.service.west.peer.consul")).toBe(SITES.west.client),
    );
    expect(await server("east").json("/v1/health/service/shop?peer=west")).toHaveLength(1);
    // A service that is not exported is not found.
    expect(await server("west").json("/v1/health/service/till")).toHaveLength(1);
    expect(await server("east").json("/v1/health/service/till?peer=west")).toEqual([]);
  };

  test("a service that one exports is found from the other, by HTTP and by DNS", async () => {
    await deployAll({});
    const commands = PEERING.replaceAll("10.0.0.11", SITES.east.server).replaceAll("10.1.0.11", SITES.west.server);
    await datacenters.project.run("bash", ["-euo", "pipefail", "-c", commands]);
    await expectPeered();
  });

  test("stay peered when all agents are replaced", async () => {
    await deployAll({ node_meta: { change: "1" } });
    await expectPeered();
  });

  test("are separate clusters", () => datacenters.expectTwoOfTheirOwn());
});
