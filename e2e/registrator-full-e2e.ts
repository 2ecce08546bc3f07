import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LiveCluster } from "./live-cluster";
import { TestBed } from "./test-bed/test-bed";

const testBed = TestBed.standing();
const HOSTS = ["consul-client1", "consul-client2", "consul-server1", "consul-server2", "consul-server3"];

/** The output of docker inspect for a host's registrator. */
async function inspect(host: string) {
  return JSON.parse((await testBed.host(host).docker("inspect", "registrator")).stdout)[0];
}

/** With stand-ins for registrator's images, which only sleep: everything but registrator itself is tested. */
describe("registrators are added, changed and removed", () => {
  let cluster: LiveCluster;
  const registrator = async (host: string, ...command: string[]) =>
    (await testBed.host(host).docker("exec", "registrator", ...command)).stdout.trim();
  /** The response of the agent's API to its container, with its token if it has one. */
  const responseOf = (host: string, path: string) =>
    registrator(
      host,
      "sh",
      "-c",
      `[ -f /registrator.token ] && set -- --header "X-Consul-Token: $(cat /registrator.token)"; wget -qO- "$@" http://127.0.0.1:8500${path}`,
    );
  const incarnations = async () =>
    Object.fromEntries(
      await Promise.all(
        HOSTS.map(async (host) => [host, `${(await inspect(host)).Id} ${(await inspect(host)).State.StartedAt}`]),
      ),
    );

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "registrators");
  });
  afterAll(() => cluster.down());

  test("their plan adds a container and an image to each host, and changes no agent", async () => {
    cluster.file.registrator = "on";
    cluster.write();
    const secured = cluster.file.security !== "off";
    if (secured) await cluster.secrets("init");
    await cluster.project.cdktf(["synth"]);
    const types = ["docker_container", "docker_image", ...(secured ? ["terraform_data"] : [])];
    const added = types.flatMap((type) => HOSTS.map((host) => `${type}.${host}_registrator: create`));
    expect(await cluster.project.plannedActions(cluster.file.name)).toEqual(
      [...added, ...(secured ? ["terraform_data.consul_acl: replace"] : [])].sort(),
    );
  });

  test("a deploy adds them, and touches no agent; a second plan is empty", async () => {
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    for (const host of HOSTS) {
      const { Config, HostConfig, State } = await inspect(host);
      expect(State).toMatchObject({ Running: true });
      expect(Config.Cmd).toEqual([
        `-ip=${cluster.file.hosts[host]}`,
        "-resync=60",
        "-cleanup",
        "-retry-attempts=-1",
        "consul://127.0.0.1:8500",
      ]);
      expect(Config.Hostname).toBe(host);
      expect(HostConfig).toMatchObject({
        NetworkMode: "host",
        CapDrop: ["ALL"],
        SecurityOpt: ["no-new-privileges:true"],
        PortBindings: {},
      });
    }
    expect((await cluster.diff()).stdout).toContain("No changes.");
  });

  test("their containers reach the agent and the daemon, and have no capabilities", async () => {
    const services = await responseOf("consul-client1", "/v1/agent/services");
    expect(JSON.parse(services)).toEqual({});
    await registrator("consul-client1", "sh", "-c", "[ -S /tmp/docker.sock ] && [ -w /tmp/docker.sock ]");
    expect(await registrator("consul-client1", "sed", "-n", "s/^CapEff:[[:space:]]*//p", "/proc/self/status")).toBe(
      "0".repeat(16),
    );
  });

  test("one that a killed deploy has not recorded is removed by doctor, as the rejected deploy says, and created again", async () => {
    const { project, env } = cluster;
    const npm = (...words: string[]) => project.run("npm", ["run", "-s", ...words], { check: false, env });
    const before = await inspect("consul-client1");
    await project.terraform(cluster.file.name, ["state", "rm", "docker_container.consul-client1_registrator"], { env });
    const rejected = await npm("deploy", "--", "--auto-approve");
    expect(rejected).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("npm run doctor -- --fix") });
    expect((await inspect("consul-client1")).Id).toBe(before.Id);
    const fixed = await npm("doctor", "--", "--fix");
    expect(fixed.stdout).toContain("fixed: consul-client1: container registrator is not in the Terraform state");
    expect(fixed.exitCode).toBe(0);
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    expect((await inspect("consul-client1")).State).toMatchObject({ Running: true });
  });

  test("another setting replaces only them", async () => {
    const before = await incarnations();
    cluster.file.registrator = { resync: 5, tags: ["rig"] };
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    const after = await incarnations();
    for (const host of HOSTS) expect(after[host]).not.toBe(before[host]);
    expect((await inspect("consul-server1")).Config.Cmd).toContain("-tags=rig");
  });

  test("a host with its own setting has none, or another one", async () => {
    const [client, server] = ["consul-client2", "consul-server3"].map((host) => String(cluster.file.hosts[host])) as [
      string,
      string,
    ];
    const { hosts } = cluster.file;
    cluster.file.hosts = {
      ...hosts,
      "consul-client2": { address: client, registrator: "off" },
      "consul-server3": { address: server, registrator: { image: "gliderlabs/registrator:latest", ip: "192.0.2.3" } },
    };
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    expect((await testBed.host("consul-client2").docker("ps", "-a", "--format", "{{.Names}}")).stdout.trim()).toBe(
      "consul-client2",
    );
    expect((await inspect("consul-server3")).Config.Cmd).toContain("-ip=192.0.2.3");
    expect((await cluster.diff()).stdout).toContain("No changes.");
    cluster.file.hosts = hosts;
    await cluster.deploy();
  });

  test("with security their token is in a file for root only, and in no output of Docker or Terraform", async () => {
    if (cluster.file.security === "off") {
      expect((await inspect("consul-client1")).Config.Env.join()).not.toContain("TOKEN");
      return;
    }
    const secrets = join(cluster.project.folder, "secrets", cluster.file.name);
    const token = () => JSON.parse(readFileSync(join(secrets, "tokens.json"), "utf8")).current.registrator as string;
    const first = token();
    const shown = async () => {
      const inspected = await Promise.all(HOSTS.map(async (host) => JSON.stringify(await inspect(host))));
      const state = readFileSync(join(cluster.project.folder, cluster.stateFile), "utf8");
      const logs = await Promise.all(HOSTS.map((host) => testBed.host(host).docker("logs", "registrator")));
      return [...inspected, state, ...logs.map(({ stdout, stderr }) => stdout + stderr)].join("\n");
    };
    expect(await registrator("consul-client1", "stat", "-c", "%U %a", "/registrator.token")).toMatch(/^root [46]00$/);
    expect(await registrator("consul-client1", "cat", "/registrator.token")).toBe(first);
    expect(await shown()).not.toContain(first);

    // A rotation restarts registrators with the new token, and touches no agent.
    const before = await incarnations();
    await cluster.secrets("rotate", "tokens", "registrator");
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    const after = await incarnations();
    for (const host of HOSTS) {
      expect(await registrator(host, "cat", "/registrator.token")).toBe(token());
      // The same container, restarted.
      expect([after[host]?.split(" ")[0], after[host] === before[host]]).toEqual([before[host]?.split(" ")[0], false]);
    }
    expect(token()).not.toBe(first);
    await cluster.secrets("revoke");
    await cluster.deploy();
    expect(JSON.parse(await responseOf("consul-client1", "/v1/agent/services"))).toEqual({});
    expect(await shown()).not.toContain(token());
    expect((await cluster.diff()).stdout).toContain("No changes.");
  });

  test("gliderlabs' image has its token in the environment of its own process only", async () => {
    cluster.file.registrator = { image: "gliderlabs/registrator:latest" };
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    const environment = (await registrator("consul-client1", "cat", "/proc/1/environ")).split("\0");
    const tokens = environment.filter((variable) => variable.startsWith("CONSUL_HTTP_TOKEN="));
    expect(tokens).toHaveLength(cluster.file.security === "off" ? 0 : 1);
    const { Config } = await inspect("consul-client1");
    for (const variable of tokens) expect(JSON.stringify(Config)).not.toContain(variable.split("=")[1]);
    expect((await cluster.diff()).stdout).toContain("No changes.");
  });

  test("turned off, they are removed, and no agent is touched", async () => {
    cluster.file.registrator = "off";
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    for (const host of HOSTS)
      expect((await testBed.host(host).docker("ps", "-a", "--format", "{{.Names}}")).stdout.trim()).toBe(host);
    expect((await cluster.diff()).stdout).toContain("No changes.");
  });
});
