import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClusterFile } from "../cluster/file/schema";
import { BackendCluster, STACKS } from "./backend-cluster";
import { Background } from "./background";
import { eventually } from "./consul";
import { Postgres } from "./state-servers/postgres";
import { TestBed } from "./test-bed/test-bed";

type Backend = NonNullable<ClusterFile["backend"]>;

const HTTP = "http://127.0.0.1:9001/{stack}";
const BACKENDS: readonly (readonly [name: string, backend: Backend])[] = [
  ["pg", { pg: {} }],
  [
    "s3",
    {
      s3: {
        bucket: "states",
        region: "eu-central-1",
        use_lockfile: true,
        use_path_style: true,
        endpoints: { s3: "http://127.0.0.1:9000" },
        skip_credentials_validation: true,
        skip_requesting_account_id: true,
        skip_metadata_api_check: true,
        skip_s3_checksum: true,
      },
    },
  ],
  ["http", { http: { address: HTTP, lock_address: HTTP, unlock_address: HTTP } }],
];
const LOCAL: Backend = { local: {} };

describe("Terraform states in other backends", () => {
  const testBed = TestBed.standing();
  const data = mkdtempSync(join(tmpdir(), "consul-cdktf-postgres-"));
  const cluster = BackendCluster.make(testBed, { AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret" });
  let servers: Background<unknown>;
  let postgres: Postgres;
  let round = 1;

  const migrate = (to: Backend) => cluster.npm(["state", "--", "migrate", "--to", JSON.stringify(to)]);
  async function expectMoved(to: Backend): Promise<void> {
    const { stdout, stderr, exitCode } = await migrate(to);
    expect([exitCode, exitCode === 0 ? "" : `${stdout}\n${stderr}`]).toEqual([0, ""]);
    for (const stack of STACKS) expect(stdout).toContain(`${stack}: moved`);
  }

  beforeAll(async () => {
    await testBed.reset();
    postgres = await Postgres.start(testBed.operator, data);
    cluster.env.PG_CONN_STR = postgres.connection;
    servers = await Background.start(testBed.operator, "state-servers/main.ts", []);
    cluster.write(LOCAL, String(round));
    await cluster.expectDeployed();
  });
  afterAll(async () => {
    await servers.stop();
    await postgres.stop();
    await testBed.reset();
    cluster.project.remove();
    rmSync(data, { recursive: true });
  });

  describe.each(BACKENDS)("%s", (name, backend) => {
    test("gets the states of local files, and no container changes", async () => {
      const before = await cluster.containers();
      await expectMoved(backend);
      expect((await migrate(backend)).stdout).toMatch(/consul: there already\n(.*\n)*consul-edge: there already/);
      cluster.write(backend, String(round));
      for (const stack of STACKS) rmSync(join(cluster.project.folder, `terraform.${stack}.tfstate`));
      await cluster.expectFoundByAll();
      expect(await cluster.containers()).toEqual(before);
    });

    test("of two deploys at once, one makes a rolling change, and the other fails with the lock", async () => {
      cluster.write(backend, String(++round));
      const colleague = cluster.colleague();
      const first = cluster.startDeploy();
      await eventually(async () => expect(first.stdout).toContain("stop allowed"), 180);
      const second = await colleague.deploy();
      colleague.project.remove();
      expect(`${second.stdout}${second.stderr}`).toContain("Error acquiring the state lock");
      expect(second.exitCode).toBe(1);
      const { stdout, exitCode } = await first.finished;
      expect(stdout).toContain("consul-server3: stop allowed: 2 of 3 voters are healthy without it");
      expect(exitCode).toBe(0);
      await cluster.expectNothingToDo();
    });

    test("a state is not overwritten by an older one", async () => {
      cluster.write(LOCAL, String(round));
      rmSync(join(cluster.project.folder, "cdktf.out"), { recursive: true });
      const { stderr, exitCode } = await migrate(backend);
      expect(stderr).toContain("consul: the target has another Terraform state");
      expect(exitCode).toBe(1);
      cluster.write(backend, String(round));
      await cluster.expectNothingToDo();
    });

    test("gives the states back to local files", async () => {
      await expectMoved(LOCAL);
      for (const stack of STACKS)
        expect(existsSync(join(cluster.project.folder, `terraform.${stack}.tfstate`))).toBe(true);
      cluster.write(LOCAL, String(round));
      await cluster.expectNothingToDo();
    });

    if (name === "http")
      test("a lock of a killed deploy is shown and released", async () => {
        cluster.write(LOCAL, String(round));
        await migrate(backend);
        cluster.write(backend, String(++round));
        const deploy = cluster.startDeploy();
        await eventually(async () => expect(deploy.stdout).toContain("stop allowed"), 180);
        deploy.killAll();
        await deploy.finished;
        expect((await cluster.npm(["state", "--", "unlock"])).stdout).toMatch(/^consul: locked$/m);
        expect((await cluster.npm(["state", "--", "unlock", "--force"])).exitCode).toBe(0);
        await cluster.npm(["doctor", "--", "--fix"]);
        await cluster.expectDeployed();
        await cluster.expectFoundByAll();
        await cluster.destroy();
      });
  });
});
