import { LiveCluster } from "./live-cluster";
import { TestBed } from "./test-bed/test-bed";

/** What the daemon.json of each host adds: settings that its daemon gives to containers that do not set them. */
const DAEMONS = {
  "consul-server1": {
    "log-opts": { compress: "true", "max-size": "100m", "max-file": "9", labels: "team", mode: "non-blocking" },
  },
  "consul-server2": {
    "default-ulimits": { nofile: { Name: "nofile", Hard: 8192, Soft: 4096 } },
    "default-shm-size": "128M",
    "default-ipc-mode": "shareable",
    "default-cgroupns-mode": "host",
  },
  "consul-server3": { init: true, "no-new-privileges": true, "live-restore": true },
  "consul-client1": {
    "log-driver": "local",
    "log-opts": { "max-file": "2", "cache-compress": "false" },
    dns: ["172.16.8.53"],
  },
} as const;
type HostName = keyof typeof DAEMONS;
const HOSTS = Object.keys(DAEMONS) as HostName[];

describe("daemons with defaults of their own", () => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;

  /** Restarts the daemons with these settings. */
  async function configure(settings: Partial<Record<HostName, Readonly<Record<string, unknown>>>>): Promise<void> {
    for (const name of HOSTS) testBed.host(name).daemonSettings = settings[name] ?? {};
    await Promise.all(HOSTS.map((name) => testBed.host(name).restartDaemon()));
  }
  const hostConfig = async (name: HostName) =>
    JSON.parse((await cluster.docker(name, "inspect", "-f", "{{json .HostConfig}}", name)).stdout);
  const logOptions = async (name: HostName) => (await hostConfig(name)).LogConfig.Config;
  const plan = () => cluster.project.plannedActions(cluster.file.name);

  beforeAll(async () => {
    await configure(DAEMONS);
    cluster = await LiveCluster.up(testBed, "daemon-defaults", { clients: 1 });
  });
  afterAll(async () => {
    await cluster?.down();
    await configure({});
  });

  test("the daemons have added their defaults, and the file's settings count", async () => {
    expect(await logOptions("consul-server1")).toEqual({
      "max-size": "10m",
      "max-file": "3",
      compress: "true",
      labels: "team",
      mode: "non-blocking",
    });
    expect(await hostConfig("consul-server2")).toMatchObject({ ShmSize: 128 << 20, IpcMode: "shareable" });
    expect((await hostConfig("consul-client1")).LogConfig).toEqual({
      Type: "json-file",
      Config: { "max-size": "10m", "max-file": "3", "cache-compress": "false" },
    });
  });

  test("the next plan is empty", async () => expect(await plan()).toEqual([]));

  test("diff names the options that the file does not set", async () => {
    const { stdout, stderr } = await cluster.project.run("npm", ["run", "-s", "diff"]);
    expect(stdout).toContain("nothing to do; containers: ");
    expect(stderr).toContain("warning log-options-kept: ");
    expect(stderr).toContain("compress=true (consul-server1)");
  });

  test("another size of the logs, on all agents: all are replaced, and the plan is empty again", async () => {
    cluster.file.log = { driver: "json-file", options: { "max-size": "20m", "max-file": "3" } };
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual(HOSTS);
    expect(await logOptions("consul-server1")).toMatchObject({ "max-size": "20m", compress: "true" });
    expect(await plan()).toEqual([]);
  });

  test("an option that a daemon adds, set in the file: that agent is replaced", async () => {
    const options = { "max-size": "20m", "max-file": "3", compress: "false" };
    cluster.set("consul-server1", { log: { driver: "json-file", options } });
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual(["consul-server1"]);
    expect(await logOptions("consul-server1")).toMatchObject({ compress: "false", labels: "team" });
    expect(await plan()).toEqual([]);
  });
});
