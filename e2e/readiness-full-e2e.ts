import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LiveCluster } from "./live-cluster";
import { Observer } from "./observer";
import { Project } from "./project";
import { TestBed } from "./test-bed/test-bed";

describe("the readiness checks of a deploy", () => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;
  const outputOf = ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr;

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "readiness");
  });
  afterAll(() => cluster.down());

  test("a server that is not ready in time fails the deploy; the next one does not touch it", async () => {
    const { servers } = cluster.file;
    // With an empty disk it takes more than ten seconds to become a voter.
    await cluster.docker("consul-server2", "rm", "-f", "consul-server2");
    await cluster.docker("consul-server2", "volume", "rm", "consul-server2-data");
    cluster.file.servers = servers.map((server) =>
      server === "consul-server2" ? { name: server, ready_timeout: 3 } : server,
    );
    const failed = await cluster.deploy({ check: false });
    expect(failed.exitCode).not.toBe(0);
    expect(outputOf(failed)).toContain("consul-server2: is not ready after 3 s");

    cluster.file.servers = servers;
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    await cluster.expectWhole();
  });

  test("a server that finds no other fails the last step, which names it; no other server is touched", async () => {
    const name = await cluster.add("server", 4);
    cluster.file.ignore = [...(cluster.file.ignore ?? []), "even-servers"];
    cluster.file.join = ["consul-server1", "consul-server2", "consul-server3"];
    const servers = cluster.file.servers;
    cluster.file.ready_timeout = 20;
    // No host has this address.
    cluster.file.servers = servers.map((server) => (server === name ? { name, join: ["172.16.8.99"] } : server));
    let failed = { exitCode: 0, stdout: "", stderr: "" };
    const touched = await cluster.touchedBy(async () => {
      failed = await cluster.deploy({ check: false });
    });
    expect(failed.exitCode).not.toBe(0);
    expect(outputOf(failed)).toContain("not all servers are voters of one cluster after 20 s, missing: consul-server4");
    expect(touched).toEqual([name]);

    cluster.file.servers = servers;
    // Autopilot makes it a voter when it has been stable for 10 s, at its next look, one in 10 s.
    cluster.file.ready_timeout = 60;
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([name]);
    await cluster.expectWhole();
  });
});

describe.each(["off", "on"])("servers in stacks of their own, with security %s", (security) => {
  const testBed = TestBed.standing();
  const project = new Project(testBed.operator, "clusters/racks.yaml");
  const racks = readFileSync(join(__dirname, "clusters/racks.yaml"), "utf8").replace(
    "security: off",
    `security: "${security}"`,
  );
  const deploy = async (...lines: string[]) => {
    writeFileSync(join(project.folder, "clusters/racks.yaml"), [racks, ...lines, ""].join("\n"));
    if (security === "on") await project.run("npm", ["run", "-s", "secrets", "--", "init"]);
    return project.cdktf(["deploy", "*", "--auto-approve"]);
  };
  const secrets = join(project.folder, "secrets/racks/operator");
  const credentials = {
    ca: `${secrets}/ca.pem`,
    cert: `${secrets}/cert.pem`,
    key: `${secrets}/key.pem`,
    header: `${secrets}/token.header`,
  };
  beforeAll(async () => {
    await testBed.reset();
    await deploy();
  });
  afterAll(async () => {
    await testBed.reset();
    project.remove();
  });

  test("come up, all stacks in one deploy, and a second plan is empty", async () => {
    for (const stack of ["racks", "racks-a", "racks-b", "racks-clients"]) {
      expect((await project.terraform(stack, ["plan", "-input=false", "-no-color"])).stdout).toContain("No changes.");
    }
  });

  test("are replaced one at a time, although all stacks are deployed at once", async () => {
    const servers = { "consul-server1": 120, "consul-server2": 121, "consul-server3": 122 };
    const place = (last: number) =>
      security === "on" ? `https://172.16.8.${last}:8501` : `http://172.16.8.${last}:8500`;
    const urls = Object.fromEntries(Object.entries(servers).map(([name, last]) => [name, place(last)]));
    const observer = await Observer.start(testBed.operator, urls, security === "on" ? credentials : undefined);
    const { stdout } = await deploy("config: { log_level: debug }");
    const { mostDown } = await observer.stop();
    expect(mostDown).toBe(1);
    for (const name of Object.keys(servers))
      expect(stdout).toContain(`${name}: stop allowed: 2 of 3 voters are healthy without it`);
    expect(stdout).toContain("voters: consul-server1 consul-server2 consul-server3");
  });
});
