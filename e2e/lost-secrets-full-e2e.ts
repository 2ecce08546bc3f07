import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SECRET_ID } from "../ops/secrets/tokens";
import { expectUndisturbed, LiveCluster } from "./live-cluster";
import { expectPrinted, Page } from "./page";
import { TestBed } from "./test-bed/test-bed";

describe("a secrets folder is lost while users work, and is whole again without an outage", () => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;
  let page: Page;
  const SERVERS = ["consul-server1", "consul-server2", "consul-server3"];
  const folder = () => cluster.project.secretsFolder(cluster.file);
  const stored = (file: string) => readFileSync(join(folder(), file), "utf8");
  const loseFolder = () => rmSync(folder(), { recursive: true });
  const inside = async (agent: string, command: string): Promise<string> =>
    (await cluster.docker(agent, "exec", agent, "sh", "-c", command)).stdout.trim();

  /** What a folder has, apart from the CA's key and the certificates of people and programs. */
  const comparable = () => ({
    ca: stored("ca.pem"),
    gossip: stored("gossip.key"),
    tokens: JSON.parse(stored("tokens.json")),
    certificates: SERVERS.map((server) => [`agents/${server}/cert.pem`, `agents/${server}/key.pem`].map(stored)),
  });

  /**
   * Does the steps of the runbook until the folder is whole. No container is touched.
   * @param changed the commands of the first two steps, if they are others
   * @returns what the first one printed
   */
  async function completed(
    lose: () => void,
    changed = (recover: string, deliver: string) => recover + deliver,
  ): Promise<string> {
    const [recover = "", deliver = "", reissue, revoke, ...others] = page.commands("## Steps");
    expect(others).toEqual([]);
    const [, ...shown] = page.outputs("## Steps");
    const printed: string[] = [];
    // Users get the new CA's certificates after the deploy that delivers it, and before the old one is revoked.
    for (const commands of [changed(recover, deliver), reissue, revoke] as string[]) {
      const seen = await cluster.during(async () => {
        if (printed.length === 0) lose();
        const touched = await cluster.touchedBy(async () => printed.push(await cluster.type(commands)));
        expect(touched).toEqual([]);
      });
      expectPrinted(shown[printed.length - 1] as string, printed.at(-1) as string);
      expectUndisturbed(seen);
      expect(seen.users.failed).toBe(0);
      await cluster.expectSound(seen);
    }
    const verified = await cluster.type(page.commands("## Verification").join(""));
    expect(verified).toContain("nothing is wrong");
    expect(verified).toContain("nothing to do; containers: 5 unchanged");
    return printed[0] as string;
  }

  beforeAll(async () => {
    const settings = { private_folder: "../consul-private", metrics: "on" } as const;
    cluster = await LiveCluster.up(testBed, "lost-secrets", { security: "on", settings });
    page = Page.open("docs/lost-secrets.md", cluster.project);
  });
  afterAll(() => cluster.down());

  test("the folder is deleted: all but the CA's key is read back, and a new CA replaces the old one", async () => {
    const before = comparable();
    const printed = await completed(loseFolder);
    const [shown = ""] = page.outputs("## Steps");
    expectPrinted(shown, printed);
    expect(printed).toContain("lost  metrics/cert.pem, key.pem: no container has it");
    expect(JSON.parse(stored("tokens.json"))).toEqual(before.tokens);
    expect(stored("gossip.key")).toBe(before.gossip);
    expect(stored("ca.pem")).not.toContain(before.ca);
    expect(await inside("consul-client1", "cat /consul/secrets/ca.pem")).toBe(stored("ca.pem").trim());
    expect(statSync(folder()).mode & 0o777).toBe(0o700);
    const secrets = [before.gossip.trim(), ...Object.values<string>(before.tokens.current)];
    expect(secrets.slice(1).every((id) => SECRET_ID.test(id))).toBe(true);
    for (const secret of secrets) expect(printed).not.toContain(secret);
    expect(printed).not.toContain("PRIVATE KEY");
  });

  test("the folder and the Terraform state are lost: the folder comes first, and the state is written again", async () => {
    const [adopt = ""] = Page.open("docs/lost-state.md", cluster.project).commands("### 2. ");
    const printed = await completed(
      () => {
        loseFolder();
        for (const file of [cluster.stateFile, `${cluster.stateFile}.backup`])
          rmSync(join(cluster.project.folder, file), { force: true });
      },
      (recover, deliver) => recover + adopt + deliver,
    );
    expect(printed).toContain("lost  ca-key.pem: no container has it");
    expect(printed).toContain("stack consul: the plan is empty");
  });

  test("agents that restart afterwards become ready with what was recovered", async () => {
    for (const agent of ["consul-server1", "consul-client1"]) {
      await cluster.docker(agent, "restart", "-t", "30", agent);
      await cluster.expectWhole();
    }
  });

  test("during a rotation of tokens: the old ones are known too, so no server is replaced", async () => {
    await cluster.secrets("rotate", "tokens");
    await cluster.deploy();
    const before = comparable();
    loseFolder();
    await cluster.secrets("recover");
    expect(JSON.parse(stored("tokens.json"))).toEqual(before.tokens);
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    await cluster.secrets("rotate", "certificates");
    await cluster.deploy();
    await cluster.secrets("revoke");
    await cluster.deploy();
  });

  test("files of one server are damaged in the folder: they are read back, and nothing changes", async () => {
    const before = comparable();
    const key = stored("ca-key.pem");
    const at = (file: string) => join(folder(), "agents/consul-server2", file);
    writeFileSync(at("key.pem"), "damaged by hand\n");
    writeFileSync(at("ca.pem"), "");
    rmSync(at("gossip.json"));
    writeFileSync(join(folder(), "tokens.json"), "{");
    const { stdout } = await cluster.secrets("recover");
    expect(stdout).toContain("read back  agents/consul-server2/cert.pem");
    expect(comparable()).toEqual(before);
    expect(stored("ca-key.pem")).toBe(key);
    expect((await cluster.secrets("check")).stdout).toContain("nothing is wrong");
    expect((await cluster.diff()).stdout).toContain("No changes.");
  });

  test("the folder is lost, and one server's files are damaged in its container too", async () => {
    const damage =
      "cd /consul/secrets && for f in key.pem ca.pem gossip.json; do chmod 600 $f && echo damaged >$f; done";
    await inside("consul-server2", damage);
    const printed = await completed(
      loseFolder,
      (recover, deliver) => `${recover}${deliver.trim()} -- --allow secrets-stale`,
    );
    expect(printed).toContain("next: npm run deploy -- --allow secrets-stale, after which agents trust both CAs");
    expect(printed).toContain("lost  agents/consul-server2/cert.pem, key.pem: its container has no usable one");
    expect(printed).toMatch(
      /differing {2}consul-server2: its container has another ca\.pem, cert\.pem, key\.pem, gossip\.json\n/,
    );
    await cluster.docker("consul-server2", "restart", "-t", "30", "consul-server2");
    await cluster.expectWhole();
  });

  test("an unreachable host is not taken for one without secrets, and can be left out", async () => {
    await testBed.host("consul-client2").killDaemon();
    const before = comparable();
    loseFolder();
    const refused = await cluster.project.run("npm", ["run", "-s", "secrets", "--", "recover"], { check: false });
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("bring the host back, or leave it out: --without HOST");
    await cluster.secrets("recover", "--without", "consul-client2");
    expect(JSON.parse(stored("tokens.json"))).toEqual(before.tokens);
    await testBed.host("consul-client2").startDaemonIfDown();
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    await cluster.expectWhole();
  });

  test("no command of the page was left out", () => expect(page.untyped).toEqual([]));
});
