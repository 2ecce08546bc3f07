import { existsSync, readdirSync } from "node:fs";
import type { Outcome } from "../../rollout/outcome";
import { preStop } from "../../rollout/pre-stop";
import { Queue } from "../../rollout/queue";
import type { ReplaceRequest } from "../../rollout/request";
import type { Consent, StopTools } from "../../rollout/stop-check";
import { WaitFile } from "../../rollout/wait-file";
import { FakeDocker, failed } from "./docker-fake";
import { SimulatedCluster, Simulation } from "./simulation";
import { ALONE, asking, memoryFolder, STOP_OF_SERVER, stopTools } from "./stop-tools";

const LOCK = "consul-cdktf/replacing";
const SLOT = "consul-cdktf/clients/s1";
const NO_CONSENT: Consent = { quorumLoss: false, downgrade: false };
const REQUEST: ReplaceRequest = {
  step: "pre-stop",
  ...STOP_OF_SERVER,
  next: { image: "consul:next", config: {}, network: "host", stage: "strict" },
};
const CLIENT: ReplaceRequest = { ...REQUEST, role: "client", limit: 1 };

type Answer = Awaited<ReturnType<FakeDocker["answer"]>>;
const STATE = "container inspect";

type Answers = Readonly<Record<string, Answer | (() => Answer | Promise<Answer>)>>;

/** An image that is on the host after a pull. */
function afterPull(): () => Answer {
  let asked = 0;
  return () => (asked++ === 0 ? failed("none") : "sha256:a");
}

/** A daemon. @param states of the container, one after the other; the last one stays */
function daemon(states: readonly Answer[] = ["running sha256:a"], others: Answers = {}) {
  const answers: Answers = {
    "image inspect": "sha256:a",
    run: "Consul v1.22.2\naccepted\n",
    ...others,
  };
  let looks = 0;
  return new FakeDocker((line) => {
    if (line.startsWith(STATE)) {
      looks += 1;
      return states[Math.min(looks, states.length) - 1];
    }
    const answer = Object.entries(answers).find(([command]) => line.startsWith(command))?.[1];
    return typeof answer === "function" ? answer() : answer;
  });
}

interface Stop {
  readonly docker?: FakeDocker;
  readonly request?: ReplaceRequest;
  readonly consent?: Partial<Consent>;
  readonly cluster?: SimulatedCluster;
  readonly env?: NodeJS.ProcessEnv;
  readonly change?: (tools: StopTools, cluster: SimulatedCluster) => Partial<StopTools>;
}

async function stop(wanted: Stop = {}) {
  const { docker = daemon(), request = REQUEST, consent = {}, env } = wanted;
  const { cluster = new SimulatedCluster(new Simulation()) } = wanted;
  if (request.role === "client" && cluster.clients.length === 0) cluster.clients.push({ name: "c1", status: "alive" });
  const made = stopTools(cluster, docker, env);
  const tools = { ...made.tools, ...wanted.change?.(made.tools, cluster) };
  const outcome = await cluster.simulation.until(preStop(request, { ...NO_CONSENT, ...consent }, tools));
  const files = existsSync(made.run.folder) ? readdirSync(made.run.folder) : [];
  return { ...made, outcome, cluster, docker, files, queued: [...made.queue.files, ...made.beginnings.files] };
}

const commands = (docker: FakeDocker) => docker.lines().map((line) => line.split(" ").slice(0, 2).join(" "));

test("an agent is stopped when its image is there, is tried, and the cluster can do without it", async () => {
  const { outcome, docker, cluster, files, queued } = await stop();
  expect(outcome).toEqual({ kind: "allow", reason: "2 of 3 voters are healthy without it, 2 are needed" });
  expect(commands(docker)).toEqual([STATE, "image inspect", "run --rm", STATE]);
  expect(cluster.stored(LOCK)).toBe("s1");
  expect([files, queued]).toEqual([["stopped.s1"], []]);
});

test("consent to the loss of the quorum passes at once, and asks not even the daemon", async () => {
  const { outcome, docker } = await stop({ consent: { quorumLoss: true }, docker: daemon([failed("unreachable")]) });
  expect([outcome.kind, docker.lines()]).toEqual(["allow", []]);
});

describe("a container", () => {
  const gone = { "container ls": "" };

  test("that is gone may be stopped, without a pull", async () => {
    const { outcome, docker } = await stop({ docker: daemon([failed("No such container: s1")], gone) });
    expect([outcome.kind, docker.lines().some((line) => line.startsWith("image"))]).toEqual(["allow", false]);
  });

  test("that does not run may be stopped when its next image is there", async () => {
    const { outcome, docker } = await stop({ docker: daemon(["exited sha256:a"]) });
    expect(outcome).toEqual({ kind: "allow", reason: "its container does not run" });
    expect(commands(docker)).toEqual([STATE, "image inspect", STATE]);
  });

  test.each([
    ["gone", daemon([failed("none")], gone)],
    ["down", daemon(["exited sha256:a"])],
  ])("that is %s is one that has to be started: an operation is left for it", async (_, docker) => {
    const { run, files } = await stop({ docker, env: { TF_CLI_ARGS: "-parallelism=1" } });
    expect(files).toEqual(["stopped.s1"]);
    expect(run.reserve("s2")).toMatchObject({ kind: "deny" });
  });

  test("that has started again during the pull is checked", async () => {
    const { cluster } = await stop({ docker: daemon(["exited sha256:a", "running sha256:a"]) });
    expect(cluster.stored(LOCK)).toBe("s1");
  });

  test.each([
    ["at first", [failed("no route")]],
    ["after the pull", ["running sha256:a", failed("no route")]],
  ])("whose daemon is unreachable %s is not stopped, and the cluster not asked", async (_, states) => {
    const others = { "container ls": failed("no route"), "image inspect": afterPull() };
    const { outcome, cluster } = await stop({ docker: daemon(states, others) });
    expect(outcome).toMatchObject({ kind: "deny", reason: "its daemon is unreachable: no route" });
    expect(cluster.requests).toEqual([]);
  });

  test("that was stopped during a pull is not asked about", async () => {
    const docker = daemon(["running sha256:a", "exited sha256:a"], { "image inspect": afterPull() });
    const { outcome, cluster } = await stop({ docker });
    expect(outcome).toEqual({ kind: "allow", reason: "its container does not run" });
    expect([commands(docker), cluster.requests]).toEqual([
      [STATE, "image inspect", "pull -q", "image inspect", STATE],
      [],
    ]);
  });
});

describe("the trial of the next container goes on while the cluster is asked", () => {
  const TRIAL_SECONDS = 20;
  const ACCEPTED = "Consul v1.22.2\naccepted\n";
  const REJECTED = "Consul v1.22.2\nrejected: invalid key x\n";

  /** @param tried what the trial prints, or why it breaks off, after some seconds */
  function slowly(cluster: SimulatedCluster, tried: Answer | Error, seconds = TRIAL_SECONDS) {
    return daemon(undefined, {
      run: () =>
        cluster.simulation.clock.sleep(seconds * 1000).then(() => {
          if (tried instanceof Error) throw tried;
          return tried;
        }),
    });
  }

  // Answers of the last seconds count. Otherwise the next of autopilot's rounds has to end.
  test.each([
    ["a look", 4, 1.1],
    ["a round of autopilot's", TRIAL_SECONDS, 2.2],
  ])("so that it takes the time of one of the two, and of %s at most", async (_, trialSeconds, more) => {
    const cluster = new SimulatedCluster(new Simulation());
    const { outcome } = await stop({ cluster, docker: slowly(cluster, ACCEPTED, trialSeconds) });
    expect(outcome.kind).toBe("allow");
    expect(cluster.simulation.seconds).toBeGreaterThanOrEqual(trialSeconds);
    expect(cluster.simulation.seconds).toBeLessThanOrEqual(trialSeconds + more);
  });

  test("and a server that has begun to hang meanwhile is not counted", async () => {
    const cluster = new SimulatedCluster(new Simulation());
    cluster.simulation.at(TRIAL_SECONDS / 2, () => {
      cluster.server("s3").hangs = (TRIAL_SECONDS / 2) * 1000;
    });
    const { outcome } = await stop({ cluster, docker: slowly(cluster, ACCEPTED) });
    expect(outcome).toMatchObject({ kind: "deny", reason: expect.stringContaining("s3 (hangs, or falls behind)") });
    expect(cluster.keys()).toEqual([]);
  });

  test.each([
    ["a server", REQUEST, (cluster: SimulatedCluster) => Object.assign(cluster.server("s3"), { up: false })],
    ["a client agent", CLIENT, (cluster: SimulatedCluster) => cluster.store(LOCK, "s3")],
  ])("and what the cluster allowed before its end is old: %s", async (_, request, change) => {
    const cluster = new SimulatedCluster(new Simulation());
    cluster.clients.push({ name: "s1", status: "alive" });
    cluster.simulation.at(TRIAL_SECONDS / 2, () => void change(cluster));
    const { outcome } = await stop({ cluster, request, docker: slowly(cluster, ACCEPTED) });
    expect(outcome).toMatchObject({ kind: "deny", reason: expect.stringContaining("s3") });
  });

  test("and a server that was not in the cluster, and has joined, needs the lock", async () => {
    const cluster = new SimulatedCluster(new Simulation());
    cluster.server("s1").voter = false;
    cluster.simulation.at(TRIAL_SECONDS / 2, () => Object.assign(cluster.server("s1"), { voter: true }));
    const { outcome } = await stop({ cluster, docker: slowly(cluster, ACCEPTED) });
    expect([outcome.kind, cluster.stored(LOCK)]).toEqual(["allow", "s1"]);
  });

  test.each([
    ["the deploy lock", REQUEST],
    ["the rollout slot", CLIENT],
  ])("and a rejection releases what the check has acquired: %s", async (_, request) => {
    const cluster = new SimulatedCluster(new Simulation());
    const { outcome, docker, files } = await stop({ cluster, request, docker: slowly(cluster, REJECTED) });
    expect(outcome).toMatchObject({ kind: "deny", reason: expect.stringContaining("invalid key x") });
    expect(cluster.requests.some((line) => line.startsWith("PUT /v1/kv"))).toBe(true);
    expect([cluster.keys(), files, commands(docker).at(-1)]).toEqual([[], [], "run --rm"]);
  });

  test("and a rejection ends a check that waits for somebody else", async () => {
    const cluster = new SimulatedCluster(new Simulation());
    cluster.store(LOCK, "s9");
    const { outcome } = await stop({ cluster, docker: slowly(cluster, REJECTED) });
    expect(outcome).toMatchObject({ kind: "deny", reason: expect.stringContaining("invalid key x") });
    expect(cluster.stored(LOCK)).toBe("s9");
    // A blocking query for the lock may go on.
    expect(cluster.simulation.seconds).toBeLessThan(4 * TRIAL_SECONDS);
  });

  test("and a rejection in the queue asks no agent", async () => {
    const cluster = new SimulatedCluster(new Simulation());
    const folder = memoryFolder();
    const alive = { commandLine: () => "", isAlive: () => true, startOf: () => "" };
    await new Queue(folder, alive, 2).join();
    const queue = new Queue(folder, alive, 1);
    const docker = slowly(cluster, REJECTED);
    const { outcome } = await stop({ cluster, docker, change: () => ({ queue }) });
    expect([outcome.kind, cluster.requests]).toEqual(["deny", []]);
  });

  test("and another denial waits for its end, which leaves nothing running", async () => {
    const cluster = new SimulatedCluster(new Simulation());
    const { outcome } = await stop({
      cluster,
      docker: slowly(cluster, ACCEPTED),
      env: { TF_CLI_ARGS: "-parallelism=1" },
      change: ({ run }) => {
        run.recordStop("s9");
        return {};
      },
    });
    expect(outcome).toMatchObject({ kind: "deny", reason: expect.stringContaining("left to start s9") });
    expect(cluster.simulation.seconds).toBeCloseTo(TRIAL_SECONDS, 1);
  });

  test("and one that breaks off denies the stop, and leaves no lock", async () => {
    const cluster = new SimulatedCluster(new Simulation());
    const { outcome } = await stop({ cluster, docker: slowly(cluster, new Error("broken")) });
    expect(outcome).toMatchObject({ kind: "deny", reason: "its next container cannot be tried: broken" });
    expect(cluster.requests.some((line) => line.startsWith("PUT /v1/kv"))).toBe(true);
    expect(cluster.keys()).toEqual([]);
  });

  test("and a lock that the asked agent does not release is released by another one", async () => {
    const cluster = new SimulatedCluster(new Simulation());
    cluster.simulation.at(TRIAL_SECONDS - 0.1, () => cluster.exceptions.set(/DELETE .*replacing/, { status: 500 }));
    const { outcome } = await stop({
      cluster,
      docker: slowly(cluster, REJECTED),
      change: ({ ask }) => {
        let calls = 0;
        return {
          ask: (decide) => {
            calls += 1;
            if (calls === 2) cluster.exceptions.clear();
            return ask(decide);
          },
        };
      },
    });
    expect([outcome.kind, cluster.keys()]).toEqual(["deny", []]);
  });

  test("and makes way for those that begin when it has ended, whatever the cluster does", async () => {
    const cluster = new SimulatedCluster(new Simulation());
    const docker = slowly(cluster, ACCEPTED);
    cluster.store(LOCK, "s9");
    const { tools, beginnings } = stopTools(cluster, docker);
    const places: number[] = [];
    for (const seconds of [TRIAL_SECONDS - 1, TRIAL_SECONDS + 1])
      cluster.simulation.at(seconds, () => places.push(beginnings.files.size));
    await cluster.simulation.until(preStop(REQUEST, NO_CONSENT, tools));
    expect(places).toEqual([1, 0]);
  });
});

test("a client agent's check lets those of servers pass that began after it", async () => {
  const cluster = new SimulatedCluster(new Simulation());
  cluster.clients.push({ name: "s1", status: "alive" });
  const { simulation } = cluster;
  const docker = daemon();
  const { tools, servers } = stopTools(cluster, docker);
  // It has not acquired the lock when the third look finds it free.
  const late = new Queue(servers, { commandLine: () => "", isAlive: () => true, startOf: () => "" }, 2);
  simulation.at(1.5, () => void late.join());
  simulation.at(10, () => void late.leave());
  expect((await simulation.until(preStop(CLIENT, NO_CONSENT, tools))).kind).toBe("allow");
  expect(simulation.seconds).toBeGreaterThanOrEqual(12);
});

test("a check that breaks off leaves no place behind in which it began", async () => {
  const cluster = new SimulatedCluster(new Simulation());
  const docker = daemon();
  docker.answer = () => {
    throw new Error("broken");
  };
  const { tools, beginnings } = stopTools(cluster, docker);
  await expect(cluster.simulation.until(preStop(REQUEST, NO_CONSENT, tools))).rejects.toThrow("broken");
  expect(beginnings.files.size).toBe(0);
});

test.each([
  ["its next image cannot be pulled", { "image inspect": failed("none"), pull: failed("manifest unknown") }],
  ["its next image cannot be tried", { run: failed("exec format error") }],
  ["its next configuration is rejected", { run: "Consul v1.22.2\nrejected: invalid key x\n" }],
])("an agent is not stopped, and the cluster not asked, when %s", async (_, others) => {
  const { outcome, cluster } = await stop({ docker: daemon(undefined, others) });
  expect([outcome.kind, cluster.requests]).toEqual(["deny", []]);
});

test("consent to any version reaches the trial", async () => {
  const docker = () => daemon(["running sha256:b"], { run: "Consul v1.21.0\naccepted\n", exec: "Consul v1.22.2\n" });
  expect((await stop({ docker: docker() })).outcome.kind).toBe("deny");
  expect((await stop({ docker: docker(), consent: { downgrade: true } })).outcome.kind).toBe("allow");
});

test("a check that would be Terraform's last operation is denied, before it queues", async () => {
  const { outcome, cluster } = await stop({
    env: { TF_CLI_ARGS: "-parallelism=1" },
    change: ({ run }) => {
      run.recordStop("s9");
      return {};
    },
  });
  expect(outcome).toMatchObject({ kind: "deny", reason: expect.stringContaining("left to start s9") });
  expect(cluster.requests).toEqual([]);
});

test("the other servers are asked if the agent itself is unreachable", async () => {
  const cluster = new SimulatedCluster(new Simulation());
  Object.assign(cluster.server("s1"), { up: false, healthy: false, status: "failed" });
  expect((await stop({ cluster })).outcome).toEqual({ kind: "allow", reason: "it is failed" });
});

test("an agent is not stopped if nobody knows the answer, and it leaves the queue", async () => {
  const cluster = new SimulatedCluster(new Simulation());
  cluster.hasLeader = false;
  const { outcome, files, queued } = await stop({ cluster });
  // What it waited for stays for the check behind it.
  expect([outcome.kind, files, queued]).toEqual(["unknown", ["wait"], []]);
});

test("a client agent acquires a rollout slot", async () => {
  const { outcome, cluster } = await stop({ request: { ...CLIENT, owner: "c1", node: "c1" } });
  expect([outcome.kind, cluster.keys()]).toEqual(["allow", ["consul-cdktf/clients/c1"]]);
});

test("a client agent waits for the servers' checks of its run, and a server is seen before its trial", async () => {
  const cluster = new SimulatedCluster(new Simulation());
  const order: string[] = [];
  const docker = daemon(["running sha256:a"], { run: failed("no image") });
  const server = stopTools(cluster, docker);
  cluster.clients.push({ name: "c1", status: "alive" });
  const client = stopTools(cluster, daemon());
  const ends = (name: string) => (outcome: Outcome) => order.push(`${name}: ${outcome.kind}`);
  const checks = [
    preStop(CLIENT, NO_CONSENT, { ...client.tools, servers: server.tools.queue }).then(ends("client")),
    cluster.simulation.clock
      .sleep(500)
      .then(() => preStop(REQUEST, NO_CONSENT, server.tools))
      .then(ends("server")),
  ];
  await server.tools.queue.join();
  await cluster.simulation.until(Promise.all(checks));
  expect(order).toEqual(["server: deny", "client: allow"]);
  // A server that is denied before it waits lets the others go on, too.
  expect([...server.queue.files]).toEqual([]);
});

test("a failure leaves neither a place in the queue nor an operation behind", async () => {
  const cluster = new SimulatedCluster(new Simulation());
  const { tools, run, queue } = stopTools(cluster, daemon());
  const ask = () => Promise.reject(new Error("broken"));
  const failing = preStop(REQUEST, NO_CONSENT, { ...tools, ask });
  await expect(cluster.simulation.until(failing)).rejects.toThrow("broken");
  expect([readdirSync(run.folder), [...queue.files]]).toEqual([[], []]);
});

describe("what the check before waited for", () => {
  /** Another check of this run waited for it, an hour ago. */
  const waitedFor =
    (reason: string) =>
    ({ run }: StopTools) => {
      const before = { folder: run.folder, own: -1 };
      new WaitFile(before, ALONE, () => Date.now() - 3_600_000).begin(reason);
      return {};
    };

  test.each([
    [REQUEST, LOCK, "waiting: s9 is being replaced, or leaves"],
    [CLIENT, LOCK, "waiting: s9 is being replaced, or leaves"],
    [CLIENT, "consul-cdktf/clients/s9", "waiting: s9 being replaced"],
  ])("counts for this one, so that a queue does not wait for each anew: %#", async (request, key, reason) => {
    const cluster = new SimulatedCluster(new Simulation());
    cluster.clients.push({ name: "s1", status: "alive" });
    cluster.store(key, "s9");
    const change = waitedFor(reason);
    expect((await stop({ cluster, request, change })).outcome).toMatchObject({ kind: "deny", reason });
    expect(cluster.simulation.seconds).toBeLessThan(5);
  });

  test("does not count where it would allow a stop earlier", async () => {
    const cluster = new SimulatedCluster(new Simulation(), 5);
    cluster.server("s5").healthy = false;
    const reason = "waiting a while for s5 (alive), though 3 of 5 voters are healthy without it";
    const { outcome, log } = await stop({ cluster, change: waitedFor(reason), request: { ...REQUEST, limit: 5 } });
    expect([outcome.kind, log]).toEqual(["allow", [`s1: ${reason}`]]);
    expect(cluster.simulation.seconds).toBeGreaterThanOrEqual(60);
  });

  test("is forgotten when this one is allowed", async () => {
    const change = waitedFor("waiting: s9 is being replaced, or leaves");
    expect((await stop({ change })).files).toEqual(["stopped.s1"]);
  });
});

describe("what a denied check had acquired", () => {
  /** The daemon goes between the check and the stop. */
  const lost = () => daemon(["running sha256:a", failed("no route")], { "container ls": failed("") });

  test.each([
    ["the deploy lock", REQUEST],
    ["the rollout slot", CLIENT],
  ])("is released if the daemon is unreachable afterwards: %s", async (_, request) => {
    const cluster = new SimulatedCluster(new Simulation());
    cluster.clients.push({ name: "s1", status: "alive" });
    const { outcome, files } = await stop({ cluster, request, docker: lost() });
    expect(outcome).toMatchObject({ kind: "deny", reason: "its daemon is unreachable: no route" });
    expect([cluster.keys(), files]).toEqual([[], []]);
    expect(cluster.requests.some((line) => line.startsWith("PUT /v1/kv"))).toBe(true);
  });

  test.each([
    ["the deploy lock", REQUEST, LOCK],
    ["the rollout slot", CLIENT, SLOT],
  ])("stays if an earlier deploy left it: %s", async (_, request, key) => {
    const cluster = new SimulatedCluster(new Simulation());
    cluster.clients.push({ name: "s1", status: "alive" });
    cluster.store(key, "s1");
    expect((await stop({ cluster, request, docker: lost() })).outcome.kind).toBe("deny");
    expect(cluster.keys()).toEqual([key]);
  });

  test.each([
    [REQUEST, LOCK, true],
    [REQUEST, LOCK, false],
    [CLIENT, SLOT, true],
    [CLIENT, SLOT, false],
  ])(
    "is told from what an earlier deploy left, when the KV store gives no answer at first: %#",
    async (request, key, isLeft) => {
      const cluster = new SimulatedCluster(new Simulation());
      cluster.clients.push({ name: "s1", status: "alive" });
      if (isLeft) cluster.store(key, "s1");
      cluster.exceptions.set(/kv/, { status: 500 });
      cluster.simulation.at(1, () => cluster.exceptions.clear());
      expect((await stop({ cluster, request, docker: lost() })).outcome.kind).toBe("deny");
      expect(cluster.requests.some((line) => line.startsWith("PUT /v1/kv"))).toBe(!isLeft);
      expect(cluster.keys()).toEqual(isLeft ? [key] : []);
    },
  );

  test.each([
    [REQUEST, LOCK, /^GET .*replacing/],
    [CLIENT, SLOT, /^GET .*clients/],
  ])("is released if the answer to its acquisition was lost: %#", async (request, key, question) => {
    const cluster = new SimulatedCluster(new Simulation());
    cluster.clients.push({ name: "s1", status: "alive" });
    const change = ({ ask }: StopTools): Partial<StopTools> => ({
      ask: (decide) =>
        ask((asked) =>
          decide({
            ...asked,
            api: {
              send: async (sent) => {
                const answer = await asked.api.send(sent);
                if (sent.method === "PUT" && sent.path.startsWith(`/v1/kv/${key}`)) {
                  cluster.exceptions.set(question, { status: 500 });
                  cluster.simulation.at(cluster.simulation.seconds + 3, () => cluster.exceptions.clear());
                }
                return answer;
              },
            },
          }),
        ),
    });
    expect((await stop({ cluster, request, docker: lost(), change })).outcome.kind).toBe("deny");
    expect(cluster.keys()).toEqual([]);
  });

  test("is released if the quorum would be lost", async () => {
    const cluster = new SimulatedCluster(new Simulation());
    cluster.server("s2").healthy = false;
    expect((await stop({ cluster })).outcome).toMatchObject({
      kind: "deny",
      reason: expect.stringContaining("only 1 of 3 voters would be healthy"),
    });
    expect(cluster.requests.some((line) => line.startsWith("PUT /v1/kv"))).toBe(true);
    expect(cluster.keys()).toEqual([]);
  });

  test("stays if an earlier deploy left it, though the quorum would be lost", async () => {
    const cluster = new SimulatedCluster(new Simulation());
    cluster.store(LOCK, "s1");
    cluster.server("s2").healthy = false;
    expect((await stop({ cluster })).outcome.kind).toBe("deny");
    expect(cluster.keys()).toEqual([LOCK]);
  });

  test("is released if no agent tells enough to decide", async () => {
    const cluster = new SimulatedCluster(new Simulation());
    cluster.server("s2").healthy = false;
    cluster.simulation.at(5, () => cluster.exceptions.set(/autopilot/, { status: 500 }));
    const { outcome } = await stop({ cluster });
    expect(outcome.kind).toBe("unknown");
    expect(cluster.requests.some((line) => line.startsWith("PUT /v1/kv"))).toBe(true);
    expect(cluster.keys()).toEqual([]);
  });

  test("is released if a member of a distant stage comes while it waits", async () => {
    const cluster = new SimulatedCluster(new Simulation());
    cluster.server("s2").healthy = false;
    cluster.server("s3").healthy = false;
    cluster.simulation.at(5, () => cluster.clients.push({ name: "c1", status: "alive", stage: "off" }));
    const { outcome } = await stop({ cluster });
    expect(outcome).toMatchObject({ kind: "deny", reason: expect.stringContaining("too far from c1 (off)") });
    expect(cluster.requests.some((line) => line.startsWith("PUT /v1/kv"))).toBe(true);
    expect(cluster.keys()).toEqual([]);
  });

  test("stays if an earlier deploy left it, though the check itself is denied", async () => {
    const cluster = new SimulatedCluster(new Simulation());
    cluster.store(LOCK, "s1");
    cluster.clients.push({ name: "c1", status: "alive", stage: "off" });
    expect((await stop({ cluster })).outcome.kind).toBe("deny");
    expect(cluster.keys()).toEqual([LOCK]);
  });

  test("is tried to be released by each agent", async () => {
    const cluster = new SimulatedCluster(new Simulation());
    const docker = lost();
    const { outcome } = await stop({
      cluster,
      docker,
      change: () => {
        const ask = asking(cluster, ["s1", "s2", "s3"], "s1");
        let calls = 0;
        return {
          ask: (decide) => {
            calls += 1;
            // s1 is cut off after its check.
            if (calls === 2) cluster.server("s1").up = false;
            return ask(decide);
          },
        };
      },
    });
    expect([outcome.kind, cluster.keys()]).toEqual(["deny", []]);
  });
});
