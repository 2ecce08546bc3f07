import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterFile } from "../cluster/file/schema";
import { Project } from "./project";
import type { CommandResult } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";

const testBed = TestBed.standing();
const [FIRST, SECOND, THIRD, FOURTH] = ["172.16.8.120", "172.16.8.121", "172.16.8.122", "172.16.8.110"] as const;

/** A project with a cluster of servers n1, n2 and so on, at these addresses. */
class Owner {
  readonly project: Project;

  constructor(
    private readonly name: string,
    file = `clusters/${name}.yaml`,
  ) {
    this.project = new Project(testBed.operator, file);
  }

  write(addresses: readonly string[], more: Partial<ClusterFile> = {}): void {
    const hosts = Object.fromEntries(addresses.map((address, index) => [`n${index + 1}`, address]));
    const file: ClusterFile = {
      name: this.name,
      security: "off",
      daemon: "ssh://root@{address}",
      hosts,
      servers: Object.keys(hosts),
      ...more,
    };
    writeFileSync(join(this.project.folder, this.project.clusterFile), JSON.stringify(file));
  }

  /** Expects that diff and deploy reject the file for this reason, and that no daemon gets a container. */
  async expectRejected(code: string, ...words: string[]): Promise<void> {
    const before = await containers();
    const diff = await this.project.run("npm", ["run", "-s", "diff"], { check: false });
    const deploy = await this.project.npmDeploy({ check: false });
    for (const { exitCode, stdout, stderr } of [diff, deploy]) {
      expect(exitCode).toBe(1);
      for (const word of [`error ${code}: `, ...words]) expect(stdout + stderr).toContain(word);
    }
    expect(deploy.stderr).toContain("rejected; nothing was changed");
    expect(await containers()).toEqual(before);
  }
}

/** Ids of all containers, by host. */
async function containers(): Promise<Record<string, string>> {
  const listed = testBed.hosts.map(async (host) => [
    host.name,
    (await host.docker("ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.State}}")).stdout,
  ]);
  return Object.fromEntries(await Promise.all(listed));
}

const hostAt = (address: string) => {
  const host = testBed.hosts.find((each) => each.address === address);
  if (!host) throw new Error(`no host has the address ${address}`);
  return host;
};

const expectDone = ({ stdout, stderr }: CommandResult, word: string): void => expect(stdout + stderr).toContain(word);

describe("a host that keeps its name and has another address in the file", () => {
  const owner = new Owner("owned");

  beforeAll(async () => {
    await testBed.reset();
    owner.write([FIRST]);
    await owner.project.npmDeploy();
    owner.write([THIRD]);
  });
  afterAll(() => owner.project.remove());

  test("is rejected while its former container runs", () =>
    owner.expectRejected(
      "agent-elsewhere",
      `its container n1 (running) still exists at ${FIRST}`,
      "docs/membership.md",
    ));

  test("is rejected while its former container is stopped", async () => {
    await hostAt(FIRST).docker("stop", "n1");
    await owner.expectRejected("agent-elsewhere", `its container n1 (exited) still exists at ${FIRST}`);
  });

  test("is rejected while nobody can tell whether it runs", async () => {
    await hostAt(FIRST).stopDaemon();
    await expect(owner.project.npmDeploy()).rejects.toThrow(
      /agent-elsewhere.* is unknown: [\s\S]*--allow agent-elsewhere/,
    );
    await hostAt(FIRST).startDaemonIfDown();
  });

  test("is deployed when that container is removed", async () => {
    await hostAt(FIRST).docker("rm", "--force", "n1");
    expectDone(await owner.project.npmDeploy(), "n1");
    expect((await hostAt(THIRD).docker("ps", "--format", "{{.Names}}")).stdout.trim()).toBe("n1");
  });

  test("is deployed from this checkout alone", async () => {
    const other = new Owner("owned");
    cpSync(
      join(owner.project.folder, owner.project.clusterFile),
      join(other.project.folder, owner.project.clusterFile),
    );
    await other.expectRejected(
      "container-exists",
      "which has no container at all",
      'n1 on host "n1"',
      "another folder",
    );
    other.project.remove();
  });

  test("its container's name is not free for a second cluster file", async () => {
    const second = new Owner("second");
    second.write([THIRD], { ports: { http: 9500, dns: 9600, serf_lan: 9301, serf_wan: 9302, server: 9300 } });
    await second.expectRejected("container-exists", 'n1 on host "n1"');
    second.project.remove();
  });
});

describe("a host that has failed, and whose successor has its name and another address", () => {
  const owner = new Owner("failed");

  beforeAll(async () => {
    await testBed.reset();
    owner.write([FIRST, SECOND, THIRD]);
    await owner.project.npmDeploy();
  });
  afterAll(async () => {
    await hostAt(THIRD).ensureUp();
    owner.project.remove();
  });

  test("is rejected while the agent runs beside its unreachable Docker daemon", async () => {
    await hostAt(THIRD).killDaemon();
    owner.write([FIRST, SECOND, FOURTH]);
    const { exitCode, stderr } = await owner.project.npmDeploy({ check: false });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`sees n3 alive at ${THIRD}`);
  });

  test("is deployed when the cluster has noticed that it failed", async () => {
    await hostAt(THIRD).powerOff();
    expectDone(await owner.project.npmDeploy(), `${THIRD} is unreachable, and n1 does not have n3 as alive`);
    const peers = await hostAt(FIRST).docker("exec", "n1", "consul", "operator", "raft", "list-peers");
    expect(peers.stdout).toMatch(new RegExp(`n3 .* ${FOURTH}:8300 .* true`));
  });
});

describe("plain cdktf deploy, which cannot look for other containers", () => {
  const owner = new Owner("plain");
  const settings = { join: ["n1", "n2"], ready_timeout: 60 };

  beforeAll(async () => {
    await testBed.reset();
    owner.write([FIRST, SECOND, THIRD], settings);
    await owner.project.npmDeploy();
  });
  afterAll(() => owner.project.remove());

  test("fails at the readiness check of the second container, which names the conflict, and touches no other agent", async () => {
    const before = await containers();
    owner.write([FIRST, SECOND, FOURTH], settings);
    const { exitCode, stdout, stderr } = await owner.project.deploy({ check: false });
    expect(exitCode).not.toBe(0);
    const { [hostAt(FOURTH).name]: second, ...others } = await containers();
    expect(second).toContain("running");
    expect(before).toMatchObject(others);
    expect(`${stdout}${stderr}`.replace(/[^\S ]*\n[^\w]*/g, " ")).toMatch(
      /n3: is not ready after 60 s: .*another agent/,
    );
  });
});
