import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConsulHttp } from "./consul";
import { Project } from "./project";
import type { CommandResult } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";

interface Problem {
  readonly code: string;
  readonly location: { readonly agent: string; readonly host: string };
  readonly message: string;
  readonly fix?: string;
}

describe("npm run doctor finds problems on each host, and fixes them", () => {
  const testBed = TestBed.standing();
  const project = new Project(testBed.operator, "clusters/unhealthy.yaml");
  const server = new ConsulHttp(testBed.operator.machine, "http://172.16.8.120:8500");
  const doctor = (...args: string[]): Promise<CommandResult> =>
    project.run("npm", ["run", "-s", "doctor", "--", ...args], { check: false });
  const inspect = async (name: string, format: string) =>
    (await testBed.host(name).docker("inspect", "-f", format, name)).stdout.trim();

  beforeAll(async () => {
    await testBed.reset();
    writeFileSync(
      join(project.folder, "clusters/unhealthy.yaml"),
      readFileSync(join(__dirname, "../clusters/seed.yaml"), "utf8").replace(/^images:.*$/m, "ready_timeout: 60"),
    );
    await project.deploy();
  });
  afterAll(async () => {
    await project.destroy();
    project.remove();
  });

  test("nothing is wrong after a deploy", async () => {
    const { stdout, exitCode } = await doctor();
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("nothing is wrong")]);
  });

  describe("with a tainted, an edited and a stopped agent, and a lock that nobody will release", () => {
    let ids: string[];

    beforeAll(async () => {
      ids = await Promise.all(["consul-server1", "consul-server2"].map((name) => inspect(name, "{{.Id}}")));
      await project.terraform("consul", ["taint", "docker_container.consul-server1"]);
      await testBed
        .host("consul-server3")
        .docker("exec", "consul-server3", "sh", "-c", "echo >>/consul/config/agent.json");
      await testBed.host("consul-client1").docker("update", "--restart=no", "consul-client1");
      await testBed.host("consul-client1").docker("stop", "consul-client1");
      await server.put("/v1/kv/consul-cdktf/replacing", "consul-server2");
    });

    test("all problems are found, and nothing is touched", async () => {
      const { stdout, exitCode } = await doctor("--json");
      expect(exitCode).toBe(1);
      const { problems, fixed } = JSON.parse(stdout);
      expect(fixed).toEqual([]);
      expect(problems.map(({ location, fix }: Problem) => `${location.agent} ${fix}`).sort()).toEqual([
        "consul-client1 restart-policy",
        "consul-client1 start",
        "consul-server1 untaint",
        "consul-server2 release-lock",
        "consul-server3 recreate",
      ]);
      expect(problems.find(({ code }: Problem) => code === "files-changed").message).toBe(
        "files in its container were changed by hand: /consul/config/agent.json",
      );
      expect(await inspect("consul-client1", "{{.State.Status}}")).toBe("exited");
      expect(await server.get("/v1/kv/consul-cdktf/replacing?raw")).toBe("consul-server2");
    });

    test("--fix fixes all problems, and recreates only the edited container", async () => {
      const edited = await inspect("consul-server3", "{{.Id}}");
      const { stdout, exitCode } = await doctor("--fix");
      expect([exitCode, stdout.match(/^fixed: /gm)?.length, stdout]).toEqual([
        0,
        5,
        expect.stringContaining("nothing is wrong any more"),
      ]);
      expect(await inspect("consul-client1", "{{.State.Status}} {{.HostConfig.RestartPolicy.Name}}")).toBe(
        "running always",
      );
      expect(await inspect("consul-server3", "{{.Id}}")).not.toBe(edited);
    });

    test("a deploy checks again that all servers are voters, and touches none; then nothing is wrong", async () => {
      await project.deploy();
      expect(await Promise.all(["consul-server1", "consul-server2"].map((name) => inspect(name, "{{.Id}}")))).toEqual(
        ids,
      );
      const { stdout, exitCode } = await doctor();
      expect([exitCode, stdout]).toEqual([0, expect.stringContaining("nothing is wrong")]);
      expect((await project.cdktf(["diff"])).stdout).toContain("No changes.");
    });
  });
});
