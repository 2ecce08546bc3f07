import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterFile } from "../cluster/file/schema";
import { KV } from "../consul/contract";
import { eventually } from "./consul";
import { expectUndisturbed, LiveCluster, type Seen } from "./live-cluster";
import { pause } from "./pause";
import { Random } from "./random";
import type { RunningCommand } from "./test-bed/command";
import { commandLine } from "./test-bed/processes";
import { TestBed } from "./test-bed/test-bed";

/** The rollout's program on the operator's machine, and what it starts there. */
const PROGRAM = /^node \S*rollout\.cjs /;
const DOCKER_CLI = /^docker .*\bexec -i /;
const OF_ROLLOUT = /rollout\.cjs|^docker |^ssh /;
/** What the program starts in containers. */
const IN_CONTAINERS = /(^|\s)nc\s|IFS= read -r host/m;

const KILLS = 5;
/** Seconds until a kill: a change of five agents takes about half a minute. */
const LONGEST_PAUSE = 6;

describe("the rollout's program in a rolling change", () => {
  const testBed = TestBed.standing();
  const random = Random.seeded();
  let cluster: LiveCluster;

  const isOver = (deploy: RunningCommand) => {
    let ended = false;
    void deploy.finished.then(() => {
      ended = true;
    });
    return () => ended;
  };
  /** Kills a process of a kind, as soon as there is one. @returns its command line; undefined after the deploy's end */
  const killOne = async (kind: RegExp, over: () => boolean): Promise<string | undefined> => {
    while (!over()) {
      const there = testBed.operator.machine.processes(kind);
      if (there.length > 0) {
        const pid = random.pick(there);
        const killed = commandLine(pid);
        process.kill(pid, "SIGKILL");
        return killed.slice(0, 120);
      }
      await pause(0.02);
    }
    return undefined;
  };
  const expectNothingLeft = () =>
    eventually(async () => {
      expect(testBed.operator.machine.processes(OF_ROLLOUT).map(commandLine)).toEqual([]);
      for (const name of cluster.agentNames) {
        const { stdout } = await cluster.docker(name, "top", name, "-o", "pid,args");
        expect({ name, left: stdout.split("\n").filter((line) => IN_CONTAINERS.test(line)) }).toEqual({
          name,
          left: [],
        });
      }
    }, 30);
  /** A client agent that is stopped and not yet started takes its users' session with it. */
  const expectServed = async (seen: Seen) => {
    expect(seen.servers.mostDown).toBeLessThan(2);
    await cluster.expectSound(seen);
  };
  /** Terraform alone, in the main stack's folder. */
  const apply = (env: NodeJS.ProcessEnv) =>
    cluster.project.terraform(cluster.file.name, ["apply", "-auto-approve", "-input=false", "-no-color"], {
      check: false,
      env,
    });

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "rollout-faults", { security: "on" });
  });
  afterAll(() => cluster.down());

  test("is killed at random moments: the next plain deploy completes, nothing is left behind", () =>
    cluster.bear(async () => {
      const seen = await cluster.during(async () => {
        for (let kills = 0; kills < KILLS; ) {
          cluster.changeAll();
          cluster.write();
          const deploy = cluster.startDeploy();
          const over = isOver(deploy);
          await cluster.untilApplying(deploy);
          await pause(random.next() * LONGEST_PAUSE);
          const killed = await killOne(PROGRAM, over);
          const { exitCode } = await deploy.finished;
          process.stderr.write(`    killed: ${killed ?? "nothing"}; the deploy ended with ${exitCode}\n`);
          if (killed !== undefined) {
            expect(exitCode).not.toBe(0);
            kills++;
          }
          await expectNothingLeft();
          await cluster.deploy();
        }
      });
      await expectServed(seen);
      await expectNothingLeft();
    }));

  test("loses its docker CLIs at random moments: it asks again, or the next plain deploy completes", () =>
    cluster.bear(async () => {
      const seen = await cluster.during(async () => {
        for (let kills = 0; kills < KILLS; ) {
          cluster.changeAll();
          cluster.write();
          const deploy = cluster.startDeploy();
          const over = isOver(deploy);
          await cluster.untilApplying(deploy);
          for (;;) {
            await pause(random.next() * LONGEST_PAUSE);
            const killed = await killOne(DOCKER_CLI, over);
            if (killed === undefined) break;
            process.stderr.write(`    killed: ${killed}\n`);
            kills++;
          }
          process.stderr.write(`    the deploy ended with ${(await deploy.finished).exitCode}\n`);
          await expectNothingLeft();
          await cluster.deploy();
        }
      });
      await expectServed(seen);
      await expectNothingLeft();
    }));

  test("meets an API that stops in the middle of an answer: it says so, and goes on when the agent does", () =>
    cluster.bear(async () => {
      // A leader that stops is followed by another one, which is not the matter here.
      const leader = await cluster.leader();
      const stopped = random.pick(cluster.serverNames.filter((name) => name !== leader));
      const signal = (name: "STOP" | "CONT") =>
        cluster.docker(stopped, "exec", stopped, "sh", "-c", `kill -${name} "$(pidof consul)"`);
      const server = cluster.api(leader);
      const seen = await cluster.during(async () => {
        // Its pre-stop check waits for the lock, and asks its own agent meanwhile.
        await server.put(`/v1/kv/${KV.lock}?cas=0`, "somebody");
        const before = await cluster.incarnations();
        cluster.file.servers = cluster.file.servers.map((name) =>
          name === stopped ? { name: stopped, labels: { stopped: "yes" } } : name,
        );
        cluster.write();
        const deploy = cluster.startDeploy();
        await eventually(async () => expect(deploy.stdout).toContain("waiting: somebody is being replaced"), 60);
        await signal("STOP");
        await eventually(async () => expect(deploy.stdout).toMatch(/gave no answer within 5 s|knows no leader/), 40);
        await pause(5);
        expect(await cluster.incarnations()).toEqual(before);
        await signal("CONT");
        await server.put("/v1/txn", [{ KV: { Verb: "delete", Key: KV.lock } }]);
        const { exitCode, stdout } = await deploy.finished;
        process.stderr.write(
          `${stdout
            .split("\n")
            .filter((line) => line.includes(`${stopped}: `))
            .join("\n")}\n`,
        );
        expect(exitCode).toBe(0);
        expect(stdout).toContain(`${stopped}: stop allowed: 2 of 3 voters are healthy without it`);
      });
      expectUndisturbed(seen);
      await expectServed(seen);
      await expectNothingLeft();
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
        await expectServed(seen);
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
      expect(stdout + stderr).toContain('"node": executable file not found in $PATH');
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
