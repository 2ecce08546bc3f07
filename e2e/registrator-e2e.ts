import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./consul";
import { LiveCluster } from "./live-cluster";
import { Project } from "./project";
import { TestBed } from "./test-bed/test-bed";

const testBed = TestBed.standing();
const HOSTS = ["consul-client1", "consul-server1", "consul-server2", "consul-server3"];
/** An archive of registrator's image, as `docker save` writes it: the test bed can neither build nor pull it. */
const { REGISTRATOR_IMAGE } = process.env;

/** An image that exposes no ports, since these would be registered too; the test bed's stand-in sleeps. */
const NO_PORTS = "gliderlabs/registrator:latest";

describe.each(["on", "off"])("the plan of registrators, with security %s", (security) => {
  const project = new Project(testBed.operator, "clusters/registering.yaml");
  afterAll(() => project.remove());

  test("is valid, and has a container and an image for each host that has an agent", async () => {
    const file = `name: registering
security: ${security}
daemon: ssh://root@{address}
hosts: { consul-server1: 172.16.8.120, consul-server2: 172.16.8.121, consul-server3: 172.16.8.122, consul-client1: 172.16.8.110 }
servers: [consul-server1, consul-server2, consul-server3]
clients: [consul-client1]
registrator: { tags: [rig], deregister: on-success, retry_interval: 500, flags: [-explicit] }
`;
    writeFileSync(join(project.folder, project.clusterFile), file);
    if (security === "on") await project.run("npm", ["run", "-s", "secrets", "--", "init"]);
    await project.cdktf(["synth"]);
    await project.terraform("registering", ["init", "-input=false"]);
    const { stdout } = await project.terraform("registering", ["validate", "-json"]);
    expect(JSON.parse(stdout)).toMatchObject({ valid: true, error_count: 0, warning_count: 0 });
    const types = ["docker_container", "docker_image", ...(security === "on" ? ["terraform_data"] : [])];
    const planned = (await project.plannedActions("registering")).filter((action) => action.includes("_registrator"));
    expect(planned).toEqual(types.flatMap((type) => HOSTS.map((host) => `${type}.${host}_registrator: create`)));
  });
});

if (REGISTRATOR_IMAGE === undefined) {
  process.stderr.write(
    "registrator: the tests with its image are skipped, since REGISTRATOR_IMAGE names no archive of `docker save`\n",
  );
} else {
  describe("registrator at work", () => {
    let cluster: LiveCluster;
    let image: string;
    const client = "consul-client1";
    const host = testBed.host(client);
    /** Starts a service's container, which only sleeps: registrator does not check that its port is open. */
    const serve = (name: string) =>
      host.docker(
        ...[
          "run",
          "-d",
          "--name",
          name,
          "--network",
          "host",
          "--expose",
          "8080",
          "-e",
          `SERVICE_NAME=${name}`,
          "--entrypoint",
          "sleep",
        ],
        ...[NO_PORTS, "infinity"],
      );
    const services = async () => Object.keys(await cluster.api("consul-server1").json("/v1/catalog/services")).sort();

    beforeAll(async () => {
      for (const host of testBed.hosts) {
        const { stdout } = await host.docker("load", "-i", REGISTRATOR_IMAGE);
        image = /Loaded image: (\S+)/.exec(stdout)?.[1] as string;
      }
      // On the test bed's default hosts, which have the image by now.
      cluster = await LiveCluster.up(testBed, "registering", {
        clients: 1,
        settings: { registrator: { image, resync: 2 } },
      });
    });
    afterAll(async () => {
      await host.dockerWith({ check: false }, "rm", "-f", "web", "web2", "later", "passing");
      await cluster?.down();
    });

    test("a service's container appears in Consul with its host's address, and disappears when it stops", async () => {
      await serve("web");
      await eventually(async () =>
        expect(await cluster.api("consul-server1").json("/v1/catalog/service/web")).toMatchObject([
          {
            Node: client,
            ServiceAddress: cluster.file.hosts[client],
            ServicePort: 8080,
            ServiceID: `${client}:web:8080`,
          },
        ]),
      );
      await host.docker("stop", "-t", "1", "web");
      await eventually(async () => expect(await services()).not.toContain("web"));
    });

    test("neither Consul's containers nor registrator itself are registered", async () =>
      expect(await services()).toEqual(["consul"]));

    test("containers that start or stop while the agent is down are registered and deregistered later", async () => {
      await serve("passing");
      await eventually(async () => expect(await services()).toContain("passing"));
      await cluster.docker(client, "stop", "-t", "30", client);
      await serve("later");
      await host.docker("rm", "-f", "passing");
      await cluster.docker(client, "start", client);
      await eventually(async () => expect(await services()).toEqual(["consul", "later"]), 60);
    });

    test("it continues with a new token, after the old one is revoked", async () => {
      if (cluster.file.security === "off") return;
      for (const args of [["rotate", "tokens", "registrator"], ["revoke"]]) {
        await cluster.secrets(...args);
        expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
      }
      await serve("web2");
      await eventually(async () => expect(await services()).toEqual(["consul", "later", "web2"]));
      await host.docker("rm", "-f", "web2");
      await eventually(async () => expect(await services()).toEqual(["consul", "later"]));
    });
  });
}
