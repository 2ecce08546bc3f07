import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConsulHttp, eventually } from "./consul";
import { Load } from "./load";
import { Project } from "./project";
import { Rig } from "./rig/rig";

const SERVERS = ["consul-server1", "consul-server2", "consul-server3"];
const CLIENT = "http://172.16.8.110:8500";
const ARTICLE = readFileSync(join(__dirname, "../clusters/seed.yaml"), "utf8").replace(/^images:.*$/m, "image: hashicorp/consul:1.21.5");

describe("servers are replaced one at a time, by plain cdktf deploy", () => {
  const rig = Rig.standing();
  const project = new Project(rig.operator, "clusters/rolling.yaml");
  const file = join(project.folder, "clusters/rolling.yaml");

  beforeAll(async () => {
    await rig.reset();
    writeFileSync(file, ARTICLE);
    await project.deploy();
  });
  afterAll(async () => {
    await project.destroy();
    project.remove();
  });

  test("their upgrade from 1.21 to 1.22 loses no acknowledged write, no session and no service", async () => {
    const upgraded = SERVERS.map((name) => `{ name: ${name}, image: "hashicorp/consul:1.22.2" }`).join(", ");
    const load = await Load.start(rig.operator, [CLIENT, CLIENT]);
    writeFileSync(file, ARTICLE.replace(/^servers: .*$/m, `servers: [${upgraded}]`));
    const { stdout } = await project.deploy();
    const seen = await load.stop();
    process.stderr.write(`    users saw: ${JSON.stringify(seen)}\n`);

    for (const name of SERVERS) {
      expect(stdout).toContain(`${name}: may be stopped: 2 of 3 voters are healthy without it, 2 are needed`);
      expect((await rig.host(name).docker("exec", name, "consul", "version")).stdout).toContain("1.22.2");
    }
    expect(seen).toMatchObject({ sessionLosses: 0, unresolved: 0 });
    // Measured: 0.1 to 0.2 s, and up to 4 writes of 500.
    expect(seen.longestGap).toBeLessThan(2);
    expect(seen.failed).toBeLessThan(seen.written * 0.02);
    for (const address of ["172.16.8.120", "172.16.8.121", "172.16.8.122"]) {
      const server = new ConsulHttp(rig.operator.machine, `http://${address}:8500`);
      await eventually(async () => expect(await server.json(`/v1/kv/load/${seen.run}?keys&stale`)).toHaveLength(seen.written));
    }
    expect((await project.cdktf(["diff"])).stdout).toContain("No changes.");
  });
});
