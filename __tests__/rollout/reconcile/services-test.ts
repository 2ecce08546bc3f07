import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ConsulAnswer, type ConsulApi, ContainerUnreachable, Unreachable } from "../../../rollout/consul-api";
import type { Docker, DockerOptions, DockerResult } from "../../../rollout/docker";
import { services } from "../../../rollout/reconcile/services";
import { folder } from "../../cluster-files";
import { Simulation } from "../simulation";

const WEB = JSON.stringify({ services: [{ id: "web1", name: "web", meta: { text: "é 😀" } }, { name: "api" }] });
const CHECKED = JSON.stringify({
  services: [{ name: "web" }],
  checks: [{ id: "disk", name: "Disk" }, { name: "ram" }],
});

interface Loaded {
  readonly services?: readonly { id?: string; name: string }[];
  readonly checks?: readonly { id?: string; name: string }[];
}

/**
 * An agent in its container. The scripts run as they ship, in a folder with stand-ins for Consul and for processes; the
 * end-to-end tests use the real ones.
 */
class SimulatedContainer {
  readonly simulation = new Simulation();
  readonly root = folder();
  readonly file = join(this.root, "consul/declared/services.json");
  readonly copy = join(this.root, "consul/declared/services.read");
  /** What the agent has read. */
  loaded: Loaded = {};
  /** Why the agent rejects a file. */
  rejects: (text: string) => string | undefined = () => undefined;
  hasLeader = true;
  peers: readonly string[] = ["10.0.0.1:8300"];
  hasAgent = true;
  wasReady = true;
  readonly log: string[] = [];
  readonly commands: string[] = [];
  /** Calls that end in another way, by the script's or the request's text. */
  readonly exceptions = new Map<RegExp, Partial<DockerResult>>();
  readonly answers = new Map<RegExp, ConsulAnswer | "none">();

  constructor(file?: string, { isLoaded = true } = {}) {
    for (const path of ["bin", "consul/declared", "proc/1", "proc/7", "proc/8"])
      mkdirSync(join(this.root, path), { recursive: true });
    this.consul("exit 0");
    writeFileSync(join(this.root, "proc/1/cmdline"), "/usr/bin/dumb-init\0consul\0agent\0");
    writeFileSync(join(this.root, "proc/7/cmdline"), "consul\0agent\0-node=c1\0");
    if (file === undefined) return;
    writeFileSync(this.file, file);
    if (!isLoaded) return;
    copyFileSync(this.file, this.copy);
    this.loaded = JSON.parse(file);
  }

  /** What `consul validate` does: `$3` is the agent's configuration, `$4` the services. */
  consul(script: string): void {
    writeFileSync(join(this.root, "bin/consul"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(this.root, "bin/consul"), 0o755);
  }

  private inRoot = (arg: string): string => (/^\/(proc|consul\/)/.test(arg) ? join(this.root, arg) : arg);

  readonly docker: Docker = {
    run: async (args, { input = "" }: DockerOptions = {}): Promise<DockerResult> => {
      const [exec, i, container, program = "", ...rest] = args;
      expect([exec, i, container]).toEqual(["exec", "-i", "consul-c1"]);
      const line = rest.join(" ");
      this.commands.push(program === "cp" ? "cp" : (rest[3] ?? ""));
      for (const [form, result] of this.exceptions)
        if (form.test(line)) return { ok: true, output: "", error: "", ...result };
      // A shell's own command, which has to be replaced in the shell.
      const kill = `kill() { echo "$*" >>"${join(this.root, "signals")}"; }\n`;
      const [flag = "", script = "", ...given] = rest;
      const command = program === "cp" ? rest.map(this.inRoot) : [flag, kill + script, ...given.map(this.inRoot)];
      const { status, stdout, stderr } = spawnSync(program, command, {
        encoding: "utf8",
        input: input.toString(),
        env: { PATH: `${join(this.root, "bin")}:${process.env.PATH}` },
      });
      if (existsSync(join(this.root, "signals"))) this.read();
      return { ok: status === 0, output: stdout, error: stderr || `ended with ${status}` };
    },
  };

  get signals(): string {
    return readFileSync(join(this.root, "signals"), "utf8");
  }

  private read(): string | undefined {
    const text = readFileSync(this.file, "utf8");
    const rejection = this.rejects(text);
    if (rejection === undefined) this.loaded = JSON.parse(text);
    return rejection;
  }

  readonly api: ConsulApi = {
    send: ({ method, path }) => this.simulation.moment(() => this.answer(`${method} ${path}`)),
  };

  private answer(request: string): ConsulAnswer {
    const json = (value: unknown): ConsulAnswer => ({ status: 200, body: JSON.stringify(value) });
    for (const [form, answer] of this.answers) {
      if (!form.test(request)) continue;
      if (answer === "none") throw new Unreachable("its API gave no answer within 5 s");
      return answer;
    }
    const ids = (list: Loaded["services"] = []) => list.map(({ id, name }) => id ?? name);
    switch (request) {
      case "GET /v1/status/leader":
        return json(this.hasLeader ? "10.0.0.1:8300" : "");
      case "GET /v1/status/peers":
        return json(this.peers);
      case "PUT /v1/agent/reload": {
        const rejection = this.read();
        return rejection === undefined ? { status: 200, body: "" } : { status: 500, body: rejection };
      }
      case "GET /v1/agent/services":
        return json(Object.fromEntries(ids(this.loaded.services).map((id) => [id, {}])));
      case "GET /v1/agent/checks":
        return json(Object.fromEntries(ids(this.loaded.checks).map((id) => [id, {}])));
      case "GET /v1/catalog/node-services/c1":
        return json({ Services: ids(this.loaded.services).map((ID) => ({ ID })) });
    }
    throw new Error(`nobody expects ${request}`);
  }

  async run(declared: string, role: "server" | "client" = "client") {
    const { simulation, docker, api, log } = this;
    const target = { daemon: "ssh://root@10.0.0.1", container: "consul-c1" };
    const step = { target, role, node: "c1", declared, seconds: 60 };
    const agent = { wasReady: async () => this.wasReady };
    const outcome = await simulation.until(
      services(step, docker, api, agent, simulation.clock, (line) => log.push(line)),
    );
    return { outcome, seconds: simulation.seconds, log };
  }
}

const text = (path: string): string => readFileSync(path, "utf8");

describe("declared services", () => {
  test("are delivered, loaded and found in the catalog", async () => {
    const container = new SimulatedContainer();
    expect(await container.run(WEB)).toEqual({
      outcome: { kind: "allow", reason: "services: web1 api" },
      seconds: 0,
      log: [],
    });
    expect([text(container.file), text(container.copy)]).toEqual([WEB, WEB]);
    expect(existsSync(container.file.replace(".json", ".new"))).toBe(false);
  });

  test("are not delivered again if the agent has loaded them", async () => {
    const container = new SimulatedContainer(WEB);
    expect((await container.run(WEB)).outcome).toEqual({ kind: "allow", reason: "services: web1 api" });
    expect(container.commands).toHaveLength(1);
  });

  test("are delivered again if nobody knows that the agent has loaded them", async () => {
    const container = new SimulatedContainer(WEB, { isLoaded: false });
    expect((await container.run(WEB)).outcome.kind).toBe("allow");
    expect(text(container.copy)).toBe(WEB);
  });

  test("replace the previous ones; checks count too", async () => {
    const container = new SimulatedContainer(WEB);
    expect((await container.run(CHECKED)).outcome).toEqual({ kind: "allow", reason: "services: web disk ram" });
    expect(text(container.file)).toBe(CHECKED);
  });

  test("are removed if none are declared any more", async () => {
    const container = new SimulatedContainer(WEB);
    expect((await container.run("{}")).outcome).toEqual({ kind: "allow", reason: "services: none" });
    expect([text(container.file), container.loaded]).toEqual(["{}", {}]);
  });

  test("need no file if there never were any", async () => {
    const container = new SimulatedContainer();
    expect((await container.run("{}")).outcome).toEqual({ kind: "allow", reason: "services: none" });
    expect([container.commands.length, existsSync(container.file)]).toEqual([1, false]);
  });

  test("are loaded by a signal to the agent's process while there is no leader", async () => {
    const container = new SimulatedContainer(WEB);
    container.hasLeader = false;
    expect((await container.run(CHECKED)).outcome.kind).toBe("allow");
    expect([container.signals, text(container.copy)]).toEqual(["-HUP 7\n", CHECKED]);
  });

  test("are loaded by an agent that starts later", async () => {
    const container = new SimulatedContainer(WEB);
    container.hasLeader = false;
    writeFileSync(join(container.root, "proc/7/cmdline"), "consul\0validate\0");
    container.simulation.at(2, () => {
      container.loaded = JSON.parse(text(container.file));
    });
    expect(await container.run(CHECKED)).toMatchObject({ outcome: { kind: "allow" }, seconds: 2 });
  });
});

describe("services that Consul rejects", () => {
  test.each([
    ["echo 'Config validation failed: 1 error occurred:\n\t* invalid\n' >&2; exit 1", "1 error occurred: * invalid"],
    ["echo a warning; echo 'Config validation failed: b' >&2; exit 1", "b"],
    ["echo Killed; exit 137", "Killed"],
    ["exit 1", "without a reason"],
  ])("are not delivered, with Consul's reason: %s", async (consul, reason) => {
    const container = new SimulatedContainer(WEB);
    container.consul(consul);
    expect((await container.run(CHECKED)).outcome).toEqual({
      kind: "deny",
      reason: `its services are not delivered, because Consul rejects them: ${reason}`,
      hint: "change the services in the cluster file, and deploy again",
    });
    expect([text(container.file), text(container.copy)]).toEqual([WEB, WEB]);
  });

  test("were validated beside a configuration of the agent's node, byte by byte", async () => {
    const container = new SimulatedContainer();
    container.consul('cat "$3" "$4"; exit 1');
    const agent =
      '{"data_dir": "/consul/data", "node_name": "c1", "bind_addr": "127.0.0.1", "advertise_addr": "127.0.0.1"}';
    const { outcome } = await container.run(WEB);
    expect(outcome.reason).toBe(`its services are not delivered, because Consul rejects them: ${agent}${WEB}`);
  });
});

describe("services that only the agent rejects", () => {
  const rejecting = (container: SimulatedContainer): SimulatedContainer =>
    Object.assign(container, { rejects: (text: string) => (text === CHECKED ? "no\nsystemd" : undefined) });

  test("are withdrawn: the agent keeps its previous ones", async () => {
    const container = rejecting(new SimulatedContainer(WEB));
    expect((await container.run(CHECKED)).outcome).toEqual({
      kind: "deny",
      reason: "its agent rejects its services, and keeps the previous ones: 500: no systemd",
      hint: "change the services in the cluster file, and deploy again",
    });
    expect([text(container.file), container.loaded]).toEqual([WEB, JSON.parse(WEB)]);
    expect(existsSync(container.copy)).toBe(false);
  });

  test("leave nothing declared if there were none", async () => {
    const container = rejecting(new SimulatedContainer());
    expect((await container.run(CHECKED)).outcome.kind).toBe("deny");
    expect(text(container.file)).toBe("{}");
  });

  test("say so if the previous ones cannot be written", async () => {
    const container = rejecting(new SimulatedContainer(WEB));
    container.exceptions.set(new RegExp(`services.read ${Buffer.byteLength(WEB)}$`), { output: "failed: no\nspace" });
    expect((await container.run(CHECKED)).outcome.reason).toBe(
      "its agent rejects its services, and its previous ones cannot be written, " +
        "/consul/declared/services.json: failed: no space: 500: no systemd",
    );
  });
});

test("services that cannot be written fail", async () => {
  const container = new SimulatedContainer(WEB);
  mkdirSync(container.file.replace(".json", ".new"));
  const { outcome } = await container.run(CHECKED);
  expect(outcome).toMatchObject({
    kind: "deny",
    reason: expect.stringMatching(
      /^its services cannot be written: .consul.declared.services.json: failed: .*services.new/,
    ),
  });
  expect(text(container.copy)).toBe(WEB);
});

describe("nothing is known, and the step is tried again, if", () => {
  test.each([
    ["its container does not run", /services/],
    ["Consul's validation gives no answer", /validate/],
    ["the copy of what was loaded is not written", /^\S*services.json \S*services.read$/],
  ])("%s", async (_, command) => {
    const container = new SimulatedContainer(WEB);
    container.exceptions.set(command, { ok: false, error: "is not running" });
    await expect(container.run(CHECKED)).rejects.toThrow(new ContainerUnreachable("is not running"));
  });

  test("Consul's validation breaks off", async () => {
    const container = new SimulatedContainer(WEB);
    container.exceptions.set(/validate/, { output: "" });
    await expect(container.run(CHECKED)).rejects.toThrow("the validation of its services broke off");
    expect(text(container.file)).toBe(WEB);
  });

  test("the agent gives no answer to the reload: it gets its previous services back", async () => {
    const container = new SimulatedContainer(WEB);
    container.answers.set(/reload/, "none");
    expect((await container.run(CHECKED)).outcome).toEqual({
      kind: "unknown",
      reason: "its API gave no answer within 5 s",
    });
    expect(text(container.file)).toBe(WEB);
  });
});

describe("input that broke off is not used", () => {
  const broken = (container: SimulatedContainer, script: string): void => {
    const { run } = container.docker;
    container.docker.run = (args, options) =>
      run(args, args.join(" ").includes(script) ? { input: `${options?.input}`.slice(0, 9) } : options);
  };
  test("for the validation", async () => {
    const container = new SimulatedContainer(WEB);
    broken(container, "validate");
    await expect(container.run(CHECKED)).rejects.toThrow("ended with 1");
  });
  test("for the agent's file", async () => {
    const container = new SimulatedContainer(WEB);
    broken(container, "mv");
    expect((await container.run(CHECKED)).outcome.kind).toBe("deny");
    expect([text(container.file), text(container.copy)]).toEqual([WEB, WEB]);
  });
});

describe("after the delivery", () => {
  test("the step waits until the catalog has all of it", async () => {
    const container = new SimulatedContainer(WEB);
    container.answers.set(/catalog/, { status: 200, body: "null" });
    container.simulation.at(2, () => container.answers.set(/catalog/, { status: 200, body: '{"Services":null}' }));
    container.simulation.at(4, () => container.answers.clear());
    expect(await container.run(WEB)).toEqual({
      outcome: { kind: "allow", reason: "services: web1 api" },
      seconds: 4,
      log: ["c1: waiting until the catalog has web1 api"],
    });
  });

  test("the step waits until the agent has its checks, and fails when it is too late", async () => {
    const container = new SimulatedContainer(CHECKED);
    container.answers.set(/agent.checks/, { status: 200, body: '{"disk":{}}' });
    expect((await container.run(CHECKED)).outcome).toEqual({
      kind: "deny",
      reason: "not all of its services are there after 60 s: waiting until the catalog has ram",
      hint: "read its container's log",
    });
  });

  test.each([/agent.services/, /agent.checks/, /catalog/])("an answer is needed: %s", async (path) => {
    const container = new SimulatedContainer(WEB);
    container.answers.set(path, "none");
    expect(await container.run(WEB)).toMatchObject({
      outcome: { kind: "deny" },
      seconds: 60,
      log: ["c1: has its services; waiting for the agent's answer"],
    });
  });

  const SKIPPED = { kind: "allow", reason: "has its services; check skipped: the other servers are not deployed yet" };

  test.each(["server", "client"] as const)("a %s is not waited for before the first bootstrap", async (role) => {
    const container = new SimulatedContainer(WEB);
    container.answers.set(/catalog/, { status: 500, body: "No cluster leader" });
    if (role === "server") container.peers = [];
    else container.wasReady = false;
    expect(await container.run(WEB, role)).toMatchObject({ outcome: SKIPPED, seconds: 6 });
  });

  test("a server of a running cluster is waited for, and one that does not say", async () => {
    for (const peers of [undefined, { status: 500, body: "" }]) {
      const container = new SimulatedContainer(WEB);
      container.answers.set(/catalog/, { status: 500, body: "No cluster leader" });
      if (peers) container.answers.set(/peers/, peers);
      expect(await container.run(WEB, "server")).toMatchObject({ outcome: { kind: "deny" }, seconds: 60 });
    }
  });
});
