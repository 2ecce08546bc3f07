import { readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./consul";
import { MonitoredCluster } from "./metrics/monitored-cluster";
import { TestBed } from "./test-bed/test-bed";
import { LOCAL } from "./test-bed/world";

const SERVERS = ["consul-server1", "consul-server2", "consul-server3"];

describe("metrics of a secured cluster in a bridge network", () => {
  const testBed = TestBed.standing();
  const published = (name: string, https: number) => ({ name, host: LOCAL.name, publish: { https } });
  const cluster = new MonitoredCluster(
    testBed,
    {
      name: "bridge-metrics",
      network: "bridge",
      daemon: "unix:///var/run/docker.sock",
      hosts: { [LOCAL.name]: LOCAL.address },
      servers: SERVERS.map((name, index) => published(name, 8501 + index)),
      clients: [published("consul-client1", 8504)],
      metrics: "on",
    },
    testBed.local,
  );

  beforeAll(async () => {
    await testBed.reset();
    await cluster.deploy();
    await cluster.monitor();
  });
  afterAll(() => cluster.down());

  test("are scraped from another machine at the published ports", () => eventually(() => cluster.expectAllUp(), 60));

  test("an agent without a published port is reached by its container's name, and only in that network", async () => {
    cluster.file.clients = [{ name: "consul-client1", host: LOCAL.name }];
    cluster.write();
    await cluster.writeFiles();
    const [written] = JSON.parse(readFileSync(join(cluster.folder, "consul-bridge-metrics-clients.json"), "utf8"));
    expect(written.targets).toEqual(["consul-client1:8501"]);
    // The agent asks for a certificate, so curl gets a connection and no answer.
    const curl = ["curl", "-sk", "-m", "5", "-o", "/dev/null", "-w", "%{remote_port}", `https://${written.targets[0]}`];
    const inside = ["sh", "-c", `${curl.join(" ")} || true`];
    expect((await testBed.localHost.docker("exec", "consul-server1", ...inside)).stdout).toBe("8501");
    const { stdout } = await testBed.operator.run("sh", ["-c", `${curl.join(" ")} || true`]);
    expect(stdout).not.toBe("8501");
  });
});
