import { readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./consul";
import { LiveCluster } from "./live-cluster";
import { Rig } from "./rig/rig";

const rig = Rig.standing();
const HOSTS = ["consul-client1", "consul-client2", "consul-server1", "consul-server2", "consul-server3"];
/** An archive of registrator's image, as `docker save` writes it: the rig cannot build one, and has no route to a registry that has one. */
const { REGISTRATOR_IMAGE } = process.env;

/** What is known of a host's registrator by Docker. */
async function inspect(host: string) {
  return JSON.parse((await rig.host(host).docker("inspect", "registrator")).stdout)[0];
}

/** With stand-ins for registrator's image, which only sleep: all but registrator itself is as it will be. */
describe("registrators come, change and go", () => {
  let cluster: LiveCluster;
  const registrator = async (host: string, ...command: string[]) => (await rig.host(host).docker("exec", "registrator", ...command)).stdout.trim();
  /** What its container says of the agent's API with its token, if it has one. */
  const asked = (host: string, path: string) =>
    registrator(
      host,
      "sh",
      "-c",
      `[ -f /registrator.token ] && set -- --header "X-Consul-Token: $(cat /registrator.token)"; wget -qO- "$@" http://127.0.0.1:8500${path}`,
    );
  const incarnations = async () =>
    Object.fromEntries(await Promise.all(HOSTS.map(async (host) => [host, `${(await inspect(host)).Id} ${(await inspect(host)).State.StartedAt}`])));

  beforeAll(async () => {
    cluster = await LiveCluster.up(rig, "registrators");
  });
  afterAll(() => cluster.down());

  test("their plan is valid, and adds to each host a container and an image, and to agents nothing", async () => {
    cluster.file.registrator = "on";
    cluster.write();
    const secured = cluster.file.security !== "off";
    if (secured) await cluster.secrets("init");
    await cluster.project.cdktf(["synth"]);
    const stack = cluster.file.name;
    await cluster.project.terraform(stack, ["init", "-input=false"]);
    const { stdout } = await cluster.project.terraform(stack, ["validate", "-json"]);
    expect(JSON.parse(stdout)).toMatchObject({ valid: true, error_count: 0, warning_count: 0 });
    const types = ["docker_container", "docker_image", ...(secured ? ["terraform_data"] : [])];
    const added = types.flatMap((type) => HOSTS.map((host) => `${type}.${host}_registrator: create`));
    expect(await cluster.project.plannedActions(stack)).toEqual([...added, ...(secured ? ["terraform_data.consul_acl: replace"] : [])].sort());
  });

  test("a deploy brings them, and touches no agent; a second plan is empty", async () => {
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    for (const host of HOSTS) {
      const { Config, HostConfig, State } = await inspect(host);
      expect(State).toMatchObject({ Running: true });
      expect(Config.Cmd).toEqual([`-ip=${cluster.file.hosts[host]}`, "-resync=60", "-cleanup", "-retry-attempts=-1", "consul://127.0.0.1:8500"]);
      expect(Config.Hostname).toBe(host);
      expect(HostConfig).toMatchObject({ NetworkMode: "host", CapDrop: ["ALL"], SecurityOpt: ["no-new-privileges:true"], PortBindings: {} });
    }
    expect((await cluster.diff()).stdout).toContain("No changes.");
  });

  test("from their containers the agent and the daemon are reached, with no capability at all", async () => {
    const services = await asked("consul-client1", "/v1/agent/services");
    expect(JSON.parse(services)).toEqual({});
    await registrator("consul-client1", "sh", "-c", "[ -S /tmp/docker.sock ] && [ -w /tmp/docker.sock ]");
    expect(await registrator("consul-client1", "sed", "-n", "s/^CapEff:[[:space:]]*//p", "/proc/self/status")).toBe("0".repeat(16));
  });

  test("another setting changes them alone", async () => {
    const before = await incarnations();
    cluster.file.registrator = { resync: 5, tags: ["rig"] };
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    const after = await incarnations();
    for (const host of HOSTS) expect(after[host]).not.toBe(before[host]);
    expect((await inspect("consul-server1")).Config.Cmd).toContain("-tags=rig");
  });

  test("a host of its own mind has none, or one of its own", async () => {
    const [client, server] = ["consul-client2", "consul-server3"].map((host) => String(cluster.file.hosts[host])) as [string, string];
    const { hosts } = cluster.file;
    cluster.file.hosts = {
      ...hosts,
      "consul-client2": { address: client, registrator: "off" },
      "consul-server3": { address: server, registrator: { image: "gliderlabs/registrator:latest", ip: "192.0.2.3" } },
    };
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    expect((await rig.host("consul-client2").docker("ps", "-a", "--format", "{{.Names}}")).stdout.trim()).toBe("consul-client2");
    expect((await inspect("consul-server3")).Config.Cmd).toContain("-ip=192.0.2.3");
    expect((await cluster.diff()).stdout).toContain("No changes.");
    cluster.file.hosts = hosts;
    await cluster.deploy();
  });

  test("with security their token is in a file that root alone may read, and nowhere that Docker or Terraform shows", async () => {
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
      const logs = await Promise.all(HOSTS.map((host) => rig.host(host).docker("logs", "registrator")));
      return [...inspected, state, ...logs.map(({ stdout, stderr }) => stdout + stderr)].join("\n");
    };
    expect(await registrator("consul-client1", "stat", "-c", "%U %a", "/registrator.token")).toMatch(/^root [46]00$/);
    expect(await registrator("consul-client1", "cat", "/registrator.token")).toBe(first);
    expect(await shown()).not.toContain(first);

    // A rotation starts registrators again, with the new token, and touches no agent.
    const before = await incarnations();
    await cluster.secrets("rotate", "tokens", "registrator");
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    const after = await incarnations();
    for (const host of HOSTS) {
      expect(await registrator(host, "cat", "/registrator.token")).toBe(token());
      // The same container, started since.
      expect([after[host]?.split(" ")[0], after[host] === before[host]]).toEqual([before[host]?.split(" ")[0], false]);
    }
    expect(token()).not.toBe(first);
    await cluster.secrets("retire");
    await cluster.deploy();
    expect(JSON.parse(await asked("consul-client1", "/v1/agent/services"))).toEqual({});
    expect(await shown()).not.toContain(token());
    expect((await cluster.diff()).stdout).toContain("No changes.");
  });

  test("gliderlabs' image, which takes its token from the environment, has it in its own process's alone", async () => {
    cluster.file.registrator = { image: "gliderlabs/registrator:latest" };
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    const environment = (await registrator("consul-client1", "cat", "/proc/1/environ")).split("\0");
    const tokens = environment.filter((variable) => variable.startsWith("CONSUL_HTTP_TOKEN="));
    expect(tokens).toHaveLength(cluster.file.security === "off" ? 0 : 1);
    const { Config } = await inspect("consul-client1");
    for (const variable of tokens) expect(JSON.stringify(Config)).not.toContain(variable.split("=")[1]);
    expect((await cluster.diff()).stdout).toContain("No changes.");
  });

  test("turned off they are gone, and no agent was touched", async () => {
    cluster.file.registrator = "off";
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    for (const host of HOSTS) expect((await rig.host(host).docker("ps", "-a", "--format", "{{.Names}}")).stdout.trim()).toBe(host);
    expect((await cluster.diff()).stdout).toContain("No changes.");
  });
});

if (REGISTRATOR_IMAGE === undefined) {
  process.stderr.write("registrator: the live part was left out, because no image was given (REGISTRATOR_IMAGE=FILE, as `docker save` writes it)\n");
} else {
  describe("registrator at work", () => {
    let cluster: LiveCluster;
    let image: string;
    const client = "consul-client1";
    const host = rig.host(client);
    /** A service's container, which sleeps; registrator does not ask whether anybody listens. */
    const serve = (name: string) =>
      host.docker(
        ...["run", "-d", "--name", name, "--network", "host", "--expose", "8080", "-e", `SERVICE_NAME=${name}`, "--entrypoint", "sleep"],
        ...["hashicorp/consul:1.22.2", "infinity"],
      );
    const services = async () => Object.keys(await cluster.api("consul-server1").json("/v1/catalog/services")).sort();

    beforeAll(async () => {
      for (const one of rig.hosts) {
        const { stdout } = await one.docker("load", "-i", REGISTRATOR_IMAGE);
        image = /Loaded image: (\S+)/.exec(stdout)?.[1] as string;
      }
      // On the hosts that the rig has by default, which have the image by now.
      cluster = await LiveCluster.up(rig, "registering", { clients: 1, settings: { registrator: { image, resync: 2 } } });
    });
    afterAll(async () => {
      await host.dockerWith({ check: false }, "rm", "-f", "web", "later", "passing");
      await cluster.down();
    });

    test("a service's container appears in Consul with its host's address, and disappears when it stops", async () => {
      await serve("web");
      await eventually(async () =>
        expect(await cluster.api("consul-server1").json("/v1/catalog/service/web")).toMatchObject([
          { Node: client, ServiceAddress: cluster.file.hosts[client], ServicePort: 8080, ServiceID: `${client}:web:8080` },
        ]),
      );
      await host.docker("stop", "-t", "1", "web");
      await eventually(async () => expect(await services()).not.toContain("web"));
    });

    test("neither Consul's containers nor registrator itself are registered", async () => expect(await services()).toEqual(["consul"]));

    test("what starts and what stops while the agent is down is not forgotten", async () => {
      await serve("passing");
      await eventually(async () => expect(await services()).toContain("passing"));
      await cluster.docker(client, "stop", "-t", "30", client);
      await serve("later");
      await host.docker("rm", "-f", "passing");
      await cluster.docker(client, "start", client);
      await eventually(async () => expect(await services()).toEqual(["consul", "later"]), 60);
    });

    test("with a new token, and the old one gone, it goes on", async () => {
      if (cluster.file.security === "off") return;
      for (const words of [["rotate", "tokens", "registrator"], ["retire"]]) {
        await cluster.secrets(...words);
        expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
      }
      await serve("web2");
      await eventually(async () => expect(await services()).toEqual(["consul", "later", "web2"]));
      await host.docker("rm", "-f", "web2");
      await eventually(async () => expect(await services()).toEqual(["consul", "later"]));
    });
  });
}
