import { expectUndisturbed, LiveCluster, SECURED, type Seen } from "./live-cluster";
import { Page } from "./page";
import { TestBed } from "./test-bed/test-bed";

describe("security is turned on, and off, in a running cluster", () => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;
  let page: Page;
  let init: string;
  let deploy: string;
  const at = (stage: "permissive" | "outgoing" | "strict") => ({ ...(SECURED as object), stage });
  /** Does what the page says after an edit of the file, while users work. */
  const deployed = async (commands: string): Promise<Seen> => {
    const seen = await cluster.during(() => {
      cluster.write();
      return cluster.type(commands);
    });
    expectUndisturbed(seen);
    await cluster.expectSound(seen);
    return seen;
  };
  const rejected = async (): Promise<string> => {
    let output = "";
    const touched = await cluster.touchedBy(async () => {
      const { exitCode, stdout } = await cluster.deploy({ check: false });
      expect(exitCode).not.toBe(0);
      output = stdout;
    });
    expect(touched).toEqual([]);
    return output;
  };
  /** An agent's own statistics and configuration. */
  const self = (agent: string) => cluster.api(agent).json("/v1/agent/self");

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "turning-on", { security: "off", settings: { ready_timeout: 20 } });
    page = Page.open("docs/security.md", cluster.project);
    [init = "", deploy = ""] = page.commands("## Turning security on")[0]?.trim().split("\n") ?? [];
  });
  afterAll(() => cluster.down());

  test.each(["outgoing", "strict"] as const)(
    "from off straight to %s is rejected, and touches nobody",
    async (stage) => {
      cluster.file.security = at(stage);
      expect(await rejected()).toContain(`its next container has security at "${stage}", too far from`);
      cluster.file.security = "off";
      await cluster.deploy();
    },
  );

  test("permissive: agents have keys, certificates and tokens, and users notice nothing", async () => {
    cluster.file.security = at("permissive");
    await deployed(`${init}\n${deploy}`);
    expect((await self("consul-server1")).Stats.serf_lan.encrypted).toBe("true");
  });

  test("from permissive straight to strict is rejected", async () => {
    cluster.file.security = at("strict");
    expect(await rejected()).toContain('"strict", too far from');
  });

  test("outgoing: agents speak TLS and encrypted gossip, and users notice nothing", async () => {
    cluster.file.security = at("outgoing");
    await deployed(deploy);
  });

  test("strict: users need HTTPS and a token; other requests are denied", async () => {
    cluster.file.security = at("strict");
    await deployed(deploy);
    const { stdout } = await testBed.operator.machine.run(
      "curl",
      ["-sS", "-m", "5", "http://172.16.8.120:8500/v1/status/leader"],
      { check: false },
    );
    expect(stdout).toBe("");
    const anonymous = await cluster.docker(
      "consul-server1",
      "exec",
      "consul-server1",
      "curl",
      "-sS",
      "http://127.0.0.1:8500/v1/kv/?keys",
    );
    expect(anonymous.stdout).not.toContain("load/");
  });

  test("the commands for a new cluster change nothing in this one", async () => {
    expect(await cluster.touchedBy(() => page.follow("# "))).toEqual([]);
    expect(page.untyped).toEqual([]);
  });

  test("back to outgoing and permissive; off is rejected, because agents keep their gossip key", async () => {
    for (const stage of ["outgoing", "permissive"] as const) {
      cluster.file.security = at(stage);
      await cluster.deploy();
      await cluster.expectWhole();
    }
    cluster.file.security = "off";
    expect(await rejected()).toContain('"off", too far from');
  });
});
