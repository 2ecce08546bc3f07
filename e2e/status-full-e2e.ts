import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PATHS } from "../consul/contract";
import { issue } from "../ops/secrets/certificates";
import type { Status } from "../ops/status/status";
import { INSTALL_SCRIPT } from "../rollout/deliver-secrets";
import { eventually } from "./consul";
import { CONSUL_IN } from "./documented";
import { LiveCluster } from "./live-cluster";
import { Page } from "./page";
import { cutOff, reconnect } from "./partition";
import { pause } from "./pause";
import type { CommandResult } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";

const DAY_MS = 24 * 60 * 60 * 1000;

describe.each(["on", "off"] as const)("status names each problem, with security %s", (security) => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;
  const npm = (script: string, ...args: string[]): Promise<CommandResult> =>
    cluster.project.run("npm", ["run", "-s", script, "--", ...args], { check: false });
  const status = async (): Promise<Status> => JSON.parse((await npm("status", "--json")).stdout);
  /** The findings, each with its agent. */
  const problems = async () =>
    (await status()).problems.map(({ location: { agent, host }, message }) => `${agent ?? host}: ${message}`);
  const expectHealthy = () => eventually(async () => expect(await problems()).toEqual([]), 90);
  const follower = async () => {
    const leader = await cluster.leader();
    return cluster.serverNames.find((name) => name !== leader) as string;
  };
  const inside = (agent: string, script: string) =>
    cluster.docker(agent, "exec", "-u", "consul", agent, "sh", "-c", script);
  /** Does what docs/two-leaders.md has, for the side of one server. */
  const discard = async (server: string) => {
    const address = String(cluster.file.hosts[server]);
    const names = { "consul-server3": server, "172.16.8.122": address };
    const [other = ""] = cluster.serverNames.filter((name) => name !== server);
    const remaining = { "consul-server1": other, "172.16.8.120": String(cluster.file.hosts[other]) };
    const page = Page.open("docs/two-leaders.md", cluster.project, { ...remaining, ...names });
    await page.follow("## Check", { check: false });
    if (security === "on") {
      await page.type(`${CONSUL_IN}consul_in ${address} ${server} kv put side ${server}`);
      await page.follow("### 1. ");
      expect(readFileSync(join(cluster.project.folder, `${server}-kv.json`), "utf8")).toContain('"key": "side"');
    } else page.leaveOut("### 1. ");
    await page.follow("### 2. ");
    await reconnect(testBed, server);
    await page.follow("### 3. ");
    expect(await page.follow("## Verification")).toContain("nothing is wrong");
    const api = cluster.api(other);
    if (security === "on") {
      await expect(api.get("/v1/kv/side?raw")).rejects.toThrow();
      await page.follow("## Undo");
      expect(await api.get("/v1/kv/side?raw")).toBe(server);
    } else page.leaveOut("## Undo");
    expect(page.untyped).toEqual([]);
  };
  /** The agents that are reconnected afterwards, also if a test fails in between. */
  let disconnected: string[] = [];

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "wrong", { security });
    await expectHealthy();
  });
  afterAll(async () => {
    for (const agent of disconnected) await reconnect(testBed, agent);
    await cluster.down();
  });

  test.each(["consul-client1", "consul-server1"])("the stopped container of %s", async (agent) => {
    await cluster.docker(agent, "stop", "-t", "30", agent);
    try {
      expect(await problems()).toEqual([`${agent}: its container has exited`]);
    } finally {
      await cluster.docker(agent, "start", agent);
    }
    await expectHealthy();
  });

  test("an unreachable host", async () => {
    const server = await follower();
    await testBed.host(server).disconnect();
    try {
      // Autopilot's verdict on it is no second finding.
      expect(await problems()).toEqual([
        expect.stringMatching(new RegExp(`^${server}: its Docker daemon is unreachable: no answer within \\d+ s$`)),
      ]);
    } finally {
      await testBed.host(server).connect();
    }
    await expectHealthy();
  });

  test("a server that is no voter", async () => {
    const server = await follower();
    const api = cluster.api(cluster.serverNames.find((name) => name !== server) as string);
    const autopilot = await api.json("/v1/operator/autopilot/configuration");
    const put = (ServerStabilizationTime: string) =>
      api.put("/v1/operator/autopilot/configuration", { ...autopilot, ServerStabilizationTime });
    await put("90s");
    // A leader applies it only when it has led for longer (raft-autopilot's ServerStabilizationTime): otherwise a
    // server is promoted in 11 s.
    await pause(100);
    const { stdout: image } = await cluster.docker(server, "inspect", "-f", "{{.Image}}", server);
    await cluster.docker(server, "stop", "-t", "30", server);
    const wipe = [
      "run",
      "--rm",
      "--network=none",
      "--entrypoint=sh",
      "-v",
      `${server}-data:/consul/data`,
      image.trim(),
      "-c",
      "rm -rf /consul/data/*",
    ];
    await cluster.docker(server, ...wipe);
    await cluster.docker(server, "start", server);
    // Its log says, for as long as its predecessor is in the catalog, that another node has its name.
    const noVoter = `${server}: it is not ready: it is no voter`;
    await eventually(async () => {
      const [problem, ...others] = await problems();
      expect(others).toEqual([]);
      expect(problem).toMatch(
        new RegExp(`^${noVoter}(: Consul's catalog has this node name with another node ID: .*)?$`),
      );
    }, 60);
    // Waits until its predecessor has been removed.
    await eventually(async () => expect((await status()).voters).toHaveLength(2), 60);
    expect((await status()).agents.find(({ name }) => name === server)).toMatchObject({
      healthy: false,
      raft: { voter: false, leads: false },
    });
    await put("10s");
    await expectHealthy();
  });

  test("agents that know no leader, and one with another leader, after a partition", async () => {
    const server = await follower();
    disconnected = [server, "consul-client2"];
    for (const agent of disconnected) await cutOff(testBed, agent, cluster.file.hosts);
    await eventually(async () => {
      const found = await problems();
      expect(found).toHaveLength(2);
      expect(found[0]).toMatch(/^consul-client2: it is not ready: it knows no leader/);
      expect(found[1]).toMatch(new RegExp(`^${server}: it is not ready: it knows no leader`));
    }, 60);
    // The others take longer to mark an agent as failed than the agent takes to lose its leader.
    await eventually(async () => {
      const { leader, agents } = await status();
      expect(leader?.agent).not.toBe(server);
      expect(agents.find(({ name }) => name === server)).toMatchObject({ leader: "", member: { status: "failed" } });
    }, 60);
    await reconnect(testBed, "consul-client2");

    // An operator who sees only this side makes it a separate cluster, as after a lost quorum.
    const address = String(cluster.file.hosts[server]);
    const peers = `[{ "id": "%s", "address": "${address}:8300", "non_voter": false }]`;
    await inside(server, `printf '${peers}' "$(cat /consul/data/node-id)" >/consul/data/raft/peers.json`);
    await cluster.docker(server, "restart", "-t", "30", server);
    await eventually(async () => {
      const { problems: found, leader } = await status();
      expect(found.map(({ location, message }) => `${location.agent}: ${message}`)).toEqual([
        `${server}: it follows the leader ${address}:8300, and most agents follow ${leader?.address}`,
      ]);
    }, 90);
    await discard(server);
    await expectHealthy();
  });

  if (security === "on") {
    test("an expired certificate, and its hint fixes it", async () => {
      const server = await follower();
      const secrets = join(cluster.project.folder, "secrets", cluster.file.name);
      const ca = {
        cert: readFileSync(join(secrets, "ca.pem"), "utf8"),
        key: readFileSync(join(secrets, "ca-key.pem"), "utf8"),
      };
      const { cert, key } = await issue(ca, { commonName: server }, new Date(Date.now() - 800 * DAY_MS));
      const folder = mkdtempSync(join(tmpdir(), "expired-"));
      writeFileSync(join(folder, "cert.pem"), cert);
      writeFileSync(join(folder, "key.pem"), key);
      const archive = execFileSync("tar", ["-c", "-C", folder, "cert.pem", "key.pem"]).toString();
      rmSync(folder, { recursive: true });
      await testBed
        .host(server)
        .dockerWith({ input: archive }, "exec", "-i", server, "sh", "-c", INSTALL_SCRIPT, "sh", PATHS.secrets, "/proc");
      const found = () =>
        status().then(({ problems: all }) =>
          all.find(({ location, code }) => location.agent === server && code === "certificate-expired"),
        );
      expect(
        (await eventually(async () => (await found()) ?? Promise.reject(new Error(String(await problems()))))).hint,
      ).toBe(`npm run secrets -- rotate certificates ${server}; npm run deploy`);
      await cluster.secrets("rotate", "certificates", server);
      await cluster.deploy();
      await expectHealthy();
    });
  }
});
