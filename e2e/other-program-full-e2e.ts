import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { LiveCluster } from "./live-cluster";
import { Project } from "./project";
import { TestBed } from "./test-bed/test-bed";

const SERVER = { name: "consul-server4", address: "172.16.8.123" } as const;
const CLIENT = { name: "consul-client2", address: "172.16.8.111" } as const;

interface Agents {
  /** A label of the client agent. */
  readonly change: string;
  readonly client?: "decommission";
  readonly server?: "decommission";
}

/** A program of somebody else's, with two agents of a cluster that it does not deploy. */
const program = ({
  change,
  client,
  server,
}: Agents): string => `import { App, LocalBackend, TerraformStack } from "cdktf";
import { ConsulClient, ConsulServer, DockerHost } from "./constructs";

const app = new App();
const stack = new TerraformStack(app, "apps");
new LocalBackend(stack, { path: "../../../apps.tfstate" });
const hostAt = (name: string, address: string) =>
  new DockerHost(stack, name, { address, daemon: "ssh://root@{address}" });
const join = ["172.16.8.120", "172.16.8.121"].map((address) => ConsulServer.fromAddress(address));
new ConsulServer(stack, "${SERVER.name}", {
  host: hostAt("host4", "${SERVER.address}"),
  join,
  bootstrapExpect: 3,
  decommission: ${server === "decommission"},
});
new ConsulClient(stack, "${CLIENT.name}", {
  host: hostAt("apps1", "${CLIENT.address}"),
  join,
  labels: { change: "${change}" },
  decommission: ${client === "decommission"},
});
app.synth();
`;

describe("agents of a program that has none of the servers that they join", () => {
  const testBed = TestBed.standing();
  const project = new Project(testBed.operator, "clusters/seed.yaml");
  let cluster: LiveCluster;

  const deploy = (agents: Agents, env: NodeJS.ProcessEnv = {}) => {
    writeFileSync(join(project.folder, "apps.ts"), program(agents));
    return project.deploy({ check: false, env });
  };
  const consul = async (...args: string[]): Promise<string> =>
    (await cluster.docker("consul-server1", "exec", "consul-server1", "consul", ...args)).stdout;
  const members = () => consul("members");
  /** Keys of the deploy lock and of the rollout slots. */
  const held = async (): Promise<string[]> =>
    (await consul("kv", "get", "-keys", "-recurse", "consul-cdktf/"))
      .split("\n")
      .filter((key) => /\/(replacing|clients\/)/.test(key));

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "shared", { security: "off", clients: 1 });
    for (const { name, address } of [SERVER, CLIENT]) await testBed.addHost(name, address);
    project.useProgram("apps.ts");
  });
  afterAll(async () => {
    await cluster?.down();
    project.remove();
  });

  test("join, and are replaced under the cluster's own lock and slots", async () => {
    expect(await deploy({ change: "first" })).toMatchObject({ exitCode: 0 });
    const { exitCode, stdout } = await deploy({ change: "second" });
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining(`${CLIENT.name}: stop allowed: `)]);
    expect(await held()).toEqual([]);
  });

  test("a decommissioned server is rejected, and holds no lock: nobody could release it afterwards", async () => {
    const { exitCode, stdout, stderr } = await deploy({ change: "second", server: "decommission" });
    expect(exitCode).not.toBe(0);
    expect(stdout + stderr).toContain("all servers that stay are deployed elsewhere, and none can see to its removal");
    expect(await held()).toEqual([]);
    expect(await members()).toMatch(/^consul-server4 .* alive /m);
  });

  test("a decommissioned server leaves with consent, and keeps no vote", async () => {
    const consent = { CONSUL_ALLOW_QUORUM_LOSS: "1" };
    expect(await deploy({ change: "second", server: "decommission" }, consent)).toMatchObject({ exitCode: 0 });
    expect(await held()).toEqual([]);
    expect(await members()).toMatch(/^consul-server4 .* left /m);
  });

  test("a decommissioned client agent leaves no slot behind, and the others are replaced as before", async () => {
    const { exitCode, stdout } = await deploy({ change: "second", server: "decommission", client: "decommission" });
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining(`${CLIENT.name}: leaving`)]);
    expect(await held()).toEqual([]);
    expect(await members()).toMatch(/^consul-client2 .* left /m);
    cluster.changeAll();
    await cluster.deploy();
    expect(await held()).toEqual([]);
  });
});
