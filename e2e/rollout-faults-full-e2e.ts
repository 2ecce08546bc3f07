import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterFile } from "../cluster/file/schema";
import { KV } from "../consul/contract";
import { type ConsulApi, eventually } from "./consul";
import { expectUndisturbed, LiveCluster } from "./live-cluster";
import { pause } from "./pause";
import { Random } from "./random";
import { expectNothingLeft } from "./rollout-processes";
import { TestBed } from "./test-bed/test-bed";

/** Autopilot asks all servers every two seconds. */
const AUTOPILOT_MS = 1900;

/** An agent's API in its container. */
const LOOPBACK = "http://127.0.0.1:8500";

/** In this time a server that has just started leads, and its autopilot has looked again. */
const LEADS_MS = 6000;

/** Waits until autopilot has asked the servers: users write all the time, so that the leader's index is another one. */
async function untilAutopilotAsks(server: ConsulApi): Promise<void> {
  const index = async () => {
    const { Servers } = await server.json("/v1/operator/autopilot/health");
    return Servers.find(({ Leader }: { Leader: boolean }) => Leader).LastIndex;
  };
  const before = await index();
  while ((await index()) === before) await pause(0.05);
}

describe("the rollout's program in a rolling change", () => {
  const testBed = TestBed.standing();
  const random = Random.seeded();
  let cluster: LiveCluster;

  /** Terraform alone, in the main stack's folder. */
  const apply = (env: NodeJS.ProcessEnv) =>
    cluster.project.terraform(cluster.file.name, ["apply", "-auto-approve", "-input=false", "-no-color"], {
      check: false,
      env,
    });

  /**
   * Servers whose stop nobody notices, which is not the matter here: a leader is followed by another one, and a client
   * agent waits for the server that it sends its users' requests to.
   */
  const idleServers = async (): Promise<string[]> => {
    const leader = await cluster.leader();
    const clients = cluster.agentNames.filter((name) => !cluster.serverNames.includes(name));
    // An unused connection is closed after two minutes.
    return eventually(async () => {
      const connections = clients.map((name) =>
        testBed.host(name).run("ss", ["-Htn", "state", "established", "dport", "=", ":8300"]),
      );
      const used = (await Promise.all(connections)).map(({ stdout }) => stdout).join();
      const servers = cluster.serverNames.filter(
        (name) => name !== leader && !used.includes(`${cluster.file.hosts[name]}:`),
      );
      expect(servers).not.toEqual([]);
      return servers;
    }, 180);
  };

  /** Signals a server's Consul. */
  const signal = (name: "STOP" | "CONT", server: string) =>
    cluster.docker(server, "exec", server, "sh", "-c", `kill -${name} "$(pidof consul)"`);

  /** Starts a deploy that replaces a server, and whose pre-stop check waits, because somebody else has the deploy lock. */
  async function deployBehindLock(api: ConsulApi, server: string, labels: Record<string, string>) {
    await api.put(`/v1/kv/${KV.lock}?cas=0`, "somebody");
    cluster.set(server, { labels });
    cluster.write();
    const deploy = cluster.startDeploy();
    await eventually(async () => expect(deploy.stdout).toContain("waiting: somebody is being replaced"), 60);
    return deploy;
  }
  const release = (api: ConsulApi, key: string) => api.put("/v1/txn", [{ KV: { Verb: "delete", Key: key } }]);
  const releaseLock = (api: ConsulApi) => release(api, KV.lock);

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "rollout-faults", { security: "on" });
  });
  afterAll(() => cluster.down());

  test("meets an answer that breaks off in its middle, and asks another server", () =>
    cluster.bear(async () => {
      const leader = await cluster.leader();
      const cut = random.pick(cluster.serverNames.filter((name) => name !== leader));
      const host = testBed.host(cut);
      const seen = await cluster.during(async () => {
        // Each connection to its API gets the first 2000 bytes, in small packets, and nothing after them.
        await host.run("ip", ["link", "set", "lo", "mtu", "1280"]);
        const answers = ["OUTPUT", "-o", "lo", "-p", "tcp", "--sport", "8500"];
        const beyond = ["--connbytes", "2000:", "--connbytes-dir", "reply", "--connbytes-mode", "bytes"];
        await host.run("iptables", ["-A", ...answers, "-m", "connbytes", ...beyond, "-j", "DROP"]);
        try {
          cluster.set(cut, { labels: { cut: "yes" } });
          cluster.write();
          const deploy = cluster.startDeploy();
          await eventually(async () => expect(deploy.stdout).toContain(`${cut}: stop allowed`), 90);
          await host.run("iptables", ["-F"]);
          const { exitCode, stdout } = await deploy.finished;
          // Which of its answers is cut, depends on their sizes.
          expect(stdout).toMatch(new RegExp(`${cut}: unreachable so far: this (server|agent)`));
          expect(exitCode).toBe(0);
        } finally {
          await host.run("iptables", ["-F"]);
          await host.run("ip", ["link", "set", "lo", "mtu", "65536"]);
        }
      });
      expectUndisturbed(seen);
      await cluster.expectSound(seen);
      await expectNothingLeft(cluster);
    }));

  test("meets an API that stops in the middle of its work: it says so, and goes on when the agent does", () =>
    cluster.bear(async () => {
      const leader = await cluster.leader();
      const stopped = random.pick(await idleServers());
      const server = cluster.api(leader);
      const seen = await cluster.during(async () => {
        // Its pre-stop check waits for the lock, and asks its own agent meanwhile.
        const before = await cluster.incarnations();
        const deploy = await deployBehindLock(server, stopped, { stopped: "yes" });
        await signal("STOP", stopped);
        await eventually(
          async () => expect(deploy.stdout).toContain(`${stopped}: this server's API gives no answer`),
          40,
        );
        await pause(5);
        expect(await cluster.incarnations()).toEqual(before);
        await signal("CONT", stopped);
        await releaseLock(server);
        const { exitCode, stdout } = await deploy.finished;
        expect(exitCode).toBe(0);
        expect(stdout).toContain(`${stopped}: stop allowed: 2 of 3 voters are healthy without it`);
      });
      expectUndisturbed(seen);
      await cluster.expectSound(seen);
      await expectNothingLeft(cluster);
    }));

  test("stops no server while another one hangs, before gossip or autopilot have noticed; and goes on when it answers", () =>
    cluster.bear(async () => {
      const leader = await cluster.leader();
      const followers = cluster.serverNames.filter((name) => name !== leader);
      const hanging = random.pick(followers);
      const replaced = followers.find((name) => name !== hanging) as string;
      const server = cluster.api(leader);
      const seen = await cluster.during(async () => {
        // Its pre-stop check waits for the lock, and looks at the other servers as soon as it has that.
        const before = await cluster.incarnations();
        const deploy = await deployBehindLock(server, replaced, { beside: "hanging" });
        await signal("STOP", hanging);
        try {
          await releaseLock(server);
          const why = `${replaced}: only 1 of 3 voters would be healthy without it, 2 are needed; not healthy: ${hanging}`;
          await eventually(async () => expect(deploy.stdout).toContain(why), 40);
          await pause(5);
          expect(await cluster.incarnations()).toEqual(before);
        } finally {
          await signal("CONT", hanging);
        }
        const { exitCode, stdout } = await deploy.finished;
        expect(exitCode).toBe(0);
        expect(stdout).toContain(`${replaced}: stop allowed: 2 of 3 voters are healthy without it`);
      });
      await cluster.expectSound(seen);
      await expectNothingLeft(cluster);
    }));

  test("does not count a server that was restarted, and hangs a second and a half after the lock was released", () =>
    cluster.bear(async () => {
      const leader = await cluster.leader();
      const followers = cluster.serverNames.filter((name) => name !== leader);
      const restarted = random.pick(followers);
      const replaced = followers.find((name) => name !== restarted) as string;
      const server = cluster.api(leader);
      const seen = await cluster.during(async () => {
        const before = (await cluster.incarnations())[replaced];
        const deploy = await deployBehindLock(server, replaced, { beside: "restarted" });
        // Ready before autopilot asks again: its question then fails, and the next one comes when the server hangs.
        await eventually(async () => {
          await untilAutopilotAsks(server);
          const asked = Date.now();
          await cluster.docker(restarted, "restart", restarted);
          await eventually(async () => expect(await cluster.api(restarted).json("/v1/status/leader")).not.toBe(""));
          expect(Date.now() - asked).toBeLessThan(AUTOPILOT_MS);
        }, 120);
        await releaseLock(server);
        await pause(1.5);
        await signal("STOP", restarted);
        try {
          const why = new RegExp(`${replaced}: only 1 of 3 voters would be healthy .* not healthy: ${restarted}`);
          await eventually(async () => expect(deploy.stdout).toMatch(why), 40);
          expect((await cluster.incarnations())[replaced]).toBe(before);
        } finally {
          await signal("CONT", restarted);
        }
        expect(await deploy.finished).toMatchObject({ exitCode: 0 });
      });
      await cluster.expectSound(seen);
      await expectNothingLeft(cluster);
    }));

  test("needs the lock although a server leads that has just started, and does not know the others by name", () =>
    cluster.bear(async () => {
      const leader = await cluster.leader();
      const [restarted, replaced] = cluster.serverNames.filter((name) => name !== leader) as [string, string];
      const server = cluster.api(leader);
      const before = (await cluster.incarnations())[replaced];
      const deploy = await deployBehindLock(server, replaced, { beside: "a new leader" });
      await cluster.docker(restarted, "restart", restarted);
      await eventually(() => cluster.transferLeadership(leader, restarted));
      const lists: string[] = [];
      for (const end = Date.now() + LEADS_MS; Date.now() < end; await pause(0.1)) {
        const { Servers: listed = {} } = await server.json("/v1/operator/autopilot/state").catch(() => ({}));
        const names = Object.values<{ readonly Name: string }>(listed).map(({ Name }) => Name);
        if (names.length > 0) lists.push(names.sort().join(" "));
      }
      // The fault was there, and is over.
      expect(lists).toContainEqual(expect.stringMatching(/^ /));
      expect(lists.at(-1)).toBe(cluster.serverNames.join(" "));
      expect((await cluster.incarnations())[replaced]).toBe(before);
      await releaseLock(server);
      expect(await deploy.finished).toMatchObject({ exitCode: 0 });
      await cluster.expectWhole();
      await expectNothingLeft(cluster);
    }));

  test("needs the rollout slot of a client agent, though its container has no token any more, and lists no members", () =>
    cluster.bear(async () => {
      const client = cluster.agentNames.find((name) => !cluster.serverNames.includes(name)) as string;
      const server = cluster.api(await cluster.leader());
      const other = `${KV.slots}somebody`;
      const seen = await cluster.during(async () => {
        await server.put(`/v1/kv/${other}?cas=0`, "somebody");
        await cluster.docker(client, "exec", client, "sh", "-c", "rm /consul/secrets/*.header /consul/secrets/*.token");
        const listed = await cluster.docker(client, "exec", client, "curl", "-sS", `${LOOPBACK}/v1/agent/members`);
        expect(JSON.parse(listed.stdout)).toEqual([]);
        const before = (await cluster.incarnations())[client];
        cluster.set(client, { labels: { token: "none" } });
        cluster.write();
        const deploy = cluster.startDeploy();
        await eventually(
          async () => expect(deploy.stdout).toContain(`${client}: waiting: somebody being replaced`),
          90,
        );
        await pause(5);
        expect((await cluster.incarnations())[client]).toBe(before);
        await release(server, other);
        expect(await deploy.finished).toMatchObject({ exitCode: 0 });
      });
      expectUndisturbed(seen);
      await cluster.expectSound(seen);
      await expectNothingLeft(cluster);
    }));

  test("replaces all agents in the middle of a rotation of the tokens", () =>
    cluster.bear(async () => {
      for (const command of [["rotate", "tokens"], ["revoke"]]) {
        const seen = await cluster.during(async () => {
          await cluster.secrets(...command);
          cluster.changeAll();
          await cluster.deploy();
        });
        expectUndisturbed(seen);
        await cluster.expectSound(seen);
      }
    }));

  describe("on a PATH", () => {
    let before: Record<string, string>;
    const folder = (name: string) => {
      const made = join(cluster.project.folder, name);
      mkdirSync(made);
      return made;
    };
    const expectUntouched = async () => {
      expect(await cluster.incarnations()).toEqual(before);
      await cluster.expectWhole();
    };
    beforeAll(async () => {
      before = await cluster.incarnations();
      cluster.changeAll();
      cluster.write();
      await cluster.project.cdktf(["synth"]);
    });

    test("without Node fails before any agent is stopped", async () => {
      const programs = folder("programs");
      const known = new Set(["node", "nodejs"]);
      for (const place of `${testBed.operator.env.PATH}`.split(":").filter((path) => existsSync(path)))
        for (const name of readdirSync(place).filter((each) => !known.has(each))) {
          symlinkSync(join(place, name), join(programs, name));
          known.add(name);
        }
      const { exitCode, stdout, stderr } = await apply({ PATH: programs });
      // Terraform breaks the line.
      expect(stdout + stderr).toMatch(/"node":\s+executable\s+file\s+not\s+found\s+in \$PATH/);
      expect(exitCode).not.toBe(0);
      await expectUntouched();
    });

    test("with a Node that is too old fails before any agent is stopped", async () => {
      const programs = folder("old");
      const pretence = join(programs, "pretence.cjs");
      writeFileSync(
        pretence,
        'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "16.20.2" } });\n',
      );
      writeFileSync(join(programs, "node"), `#!/bin/sh\nexec ${process.execPath} --require ${pretence} "$@"\n`, {
        mode: 0o755,
      });
      const { exitCode, stdout, stderr } = await apply({ PATH: `${programs}:${testBed.operator.env.PATH}` });
      expect(stdout + stderr).toContain("Node 16.20.2 is too old for this rollout");
      expect(exitCode).not.toBe(0);
      await expectUntouched();
    });

    test("with its Node again, the change is completed", async () => {
      const seen = await cluster.during(() => cluster.deploy());
      expectUndisturbed(seen);
      await cluster.expectSound(seen);
    });
  });
});

describe("the rollout's program finds the running agent's API, though the next one's is elsewhere", () => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;
  let base: ClusterFile;
  const allReplaced = async () => {
    const { stdout } = await cluster.deploy();
    for (const name of cluster.serverNames)
      expect(stdout).toContain(`${name}: stop allowed: 2 of 3 voters are healthy without it`);
    expect(stdout).toMatch(/consul-client1: stop allowed: \d other client agents are being replaced/);
    await cluster.expectWhole();
    expect((await cluster.diff()).stdout).toContain("No changes.");
  };

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "moved-api", { security: "off", clients: 1 });
    base = cluster.file;
  });
  afterAll(() => cluster.down());

  test("to another port, to an IPv6 loopback, and to the host's own address", async () => {
    cluster.file = {
      ...base,
      servers: [
        { name: "consul-server1", ports: { http: 9500 } },
        { name: "consul-server2", client_addr: "::1 172.16.8.121" },
        { name: "consul-server3", client_addr: "172.16.8.122", ports: { http: 9501 } },
      ],
      clients: [{ name: "consul-client1", ports: { http: 9500 } }],
    };
    await allReplaced();
    const address = async (name: string) =>
      (await cluster.docker(name, "exec", name, "sh", "-c", 'echo "$CONSUL_HTTP_ADDR"')).stdout.trim();
    expect(await Promise.all(cluster.serverNames.map(address))).toEqual([
      "http://127.0.0.1:9500",
      "http://[::1]:8500",
      "http://172.16.8.122:9501",
    ]);
  });

  test("from there to Consul's default", async () => {
    cluster.file = base;
    await allReplaced();
  });
});
