import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LoopbackHttp } from "./loopback-http";
import { Page } from "./page";
import { PAYMENTS } from "./payments";
import { Project } from "./project";
import { TestBed } from "./test-bed/test-bed";

describe("Consul is upgraded: docs/upgrading-consul.md, on a secured cluster", () => {
  const testBed = TestBed.standing();
  const project = new Project(testBed.operator, "clusters/payments.yaml");
  const page = Page.open("docs/upgrading-consul.md", project);
  const AGENTS = { node1: "consul-server1", node2: "consul-server2", node3: "consul-server3", web1: "consul-client1" };
  const path = join(project.folder, project.clusterFile);
  const FILE = `name: payments
private_folder: ${PAYMENTS.private_folder}
daemon: ssh://root@{address}
hosts:
  node1: 172.16.8.120
  node2: 172.16.8.121
  node3: 172.16.8.122
  web1: 172.16.8.110
servers: [node1, node2, node3]
clients: [web1]
ready_timeout: 60
image: hashicorp/consul:1.21.5
`;
  const api = (agent: keyof typeof AGENTS) =>
    new LoopbackHttp(testBed.host(AGENTS[agent]), agent, project.operatorHeader(PAYMENTS));
  const versions = async () => {
    const found = Object.entries(AGENTS).map(async ([agent, host]) => {
      const { stdout } = await testBed.host(host).docker("exec", agent, "consul", "version");
      return stdout.split("\n")[0]?.replace("Consul v", "");
    });
    return Promise.all(found);
  };

  beforeAll(async () => {
    await testBed.reset();
    writeFileSync(path, FILE);
    await project.run("npm", ["run", "-s", "secrets", "--", "init"]);
    await project.npmDeploy();
    await api("web1").put("/v1/kv/load/before", "yes");
    await page.follow("# ");
  });
  afterAll(async () => {
    await testBed.reset();
    project.remove();
  });

  test("the check shows all steps, and changes nothing", async () => {
    await page.follow("## Check");
    expect(readFileSync(path, "utf8")).toBe(FILE);
    expect(await versions()).toEqual(["1.21.5", "1.21.5", "1.21.5", "1.21.5"]);
  });

  test("as long as no server has been replaced, it is undone by the former file and a deploy", async () => {
    const [upgrade = ""] = page.commands("## Steps");
    await page.type(upgrade, { answers: ["yes", "no"], check: false });
    expect(await versions()).toEqual(["1.21.5", "1.21.5", "1.21.5", "1.22.7"]);
    writeFileSync(path, FILE);
    await page.follow("## Undo");
    expect(await versions()).toEqual(["1.21.5", "1.21.5", "1.21.5", "1.21.5"]);
  });

  test("the steps upgrade all agents, and no key is lost", async () => {
    await page.follow("## Steps");
    expect(readFileSync(path, "utf8")).toBe(FILE.replace("1.21.5", "1.22.7"));
    expect(await versions()).toEqual(["1.22.7", "1.22.7", "1.22.7", "1.22.7"]);
    const verified = await page.follow("## Verification");
    expect(verified).toMatch(/^healthy$/m);
    expect(verified.match(/1\.22\.7/g)?.length).toBeGreaterThanOrEqual(4);
    expect(await page.type("npm run upgrade -- 1.22.7")).toContain(
      "all agents run Consul 1.22.7, and the file names it",
    );
    expect(await api("node2").get("/v1/kv/load/before?raw")).toBe("yes");
    expect(page.untyped).toEqual([]);
  });
});
