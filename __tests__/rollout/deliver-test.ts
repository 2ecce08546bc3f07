import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deliverSecrets, INSTALL_SCRIPT } from "../../rollout/deliver-secrets";
import { deliverToken } from "../../rollout/deliver-token";
import type { DeliverSecretsRequest, DeliverTokenRequest } from "../../rollout/request";
import { tarArchive } from "../../rollout/tar";
import { folder } from "../cluster-files";
import { FakeDocker, failed } from "./docker-fake";
import { Simulation } from "./simulation";

const target = { daemon: "ssh://root@10.0.0.4", container: "s1" };

/** Archives go to real programs, as bytes. */
const tar = (args: readonly string[], input: Buffer) => spawnSync("tar", args, { input, encoding: "utf8" });

describe("an archive", () => {
  const files = [
    { name: "ca.pem", content: Buffer.from("certificate\n") },
    { name: "empty", content: Buffer.alloc(0) },
    { name: "block", content: Buffer.alloc(512, 0xff) },
    { name: "n".repeat(100), content: Buffer.alloc(1500, "ä") },
  ];

  test("is read by tar, byte for byte", () => {
    const out = folder();
    const { status, stderr } = tar(["-x", "-f", "-", "-C", out], tarArchive(files));
    expect([status, stderr]).toEqual([0, ""]);
    for (const { name, content } of files) expect(readFileSync(join(out, name))).toEqual(content);
    expect(statSync(join(out, "ca.pem")).mode & 0o777).toBe(0o400);
  });

  test("has regular files of root", () => {
    const { stdout } = tar(["-t", "-v", "--numeric-owner", "-f", "-"], tarArchive(files));
    expect(stdout.split("\n")[0]).toMatch(/^-r-------- 0\/0 +12 .* ca\.pem$/);
  });

  test("has no name that would be cut off", () => {
    expect(() => tarArchive([{ name: "n".repeat(101), content: Buffer.alloc(0) }])).toThrow("too long for an archive");
  });
});

describe("the secrets of an agent", () => {
  const secrets = (): string => {
    const made = folder();
    writeFileSync(join(made, "ca.pem"), "the CA");
    writeFileSync(join(made, "tokens.json"), "the token");
    return made;
  };

  async function deliver(docker: FakeDocker, wanted: Partial<DeliverSecretsRequest> = {}) {
    const request: DeliverSecretsRequest = {
      step: "deliver-secrets",
      target,
      folder: secrets(),
      files: ["ca.pem", "tokens.json"],
      seconds: 0,
      ...wanted,
    };
    const log: string[] = [];
    let time = 0;
    const sleep = async (ms: number): Promise<void> => {
      time += ms;
    };
    const outcome = await deliverSecrets(request, docker, { now: () => time, sleep }, (line) => log.push(line));
    return { outcome, log, docker };
  }

  test("go by standard input, so that no argument shows them", async () => {
    const { outcome, docker } = await deliver(new FakeDocker(() => " ca.pem tokens.json\n"));
    expect(outcome).toEqual({ kind: "allow", reason: "has new secrets: ca.pem tokens.json" });
    expect(docker.lines()).toEqual([`exec -i s1 /bin/sh -c ${INSTALL_SCRIPT} sh /consul/secrets /proc`]);
    expect(docker.calls[0]?.input).toContain("the token");
    expect(docker.lines().join()).not.toContain("the token");
  });

  test("may be there already", async () => {
    expect((await deliver(new FakeDocker(() => ""))).outcome).toEqual({
      kind: "allow",
      reason: "has these secrets already",
    });
  });

  test("are tried again while the container is starting", async () => {
    const docker = new FakeDocker((_, calls) => (calls < 3 ? failed("is not running") : ""));
    const { outcome, log } = await deliver(docker, { seconds: 9 });
    expect([outcome.kind, docker.calls.length]).toEqual(["allow", 3]);
    expect(log).toEqual(["s1: trying again: is not running"]);
  });

  test("fail with the last reason when time is up", async () => {
    const docker = new FakeDocker(() => failed("no such container: s1"));
    expect((await deliver(docker, { seconds: 3 })).outcome).toMatchObject({
      kind: "deny",
      reason: "its secrets cannot be delivered: no such container: s1",
    });
    expect(docker.calls).toHaveLength(4);
  });

  test("are not delivered in part: a missing file is named", async () => {
    const { outcome, docker } = await deliver(new FakeDocker(() => ""), { files: ["ca.pem", "gossip.json"] });
    expect(outcome).toMatchObject({ kind: "deny", reason: expect.stringContaining("gossip.json") });
    expect(docker.calls).toEqual([]);
  });
});

describe("the script that installs secrets", () => {
  /** A container with secrets, an agent and another process, and a stand-in for `chown`, whose group is not here. */
  function container() {
    const root = folder();
    for (const name of ["bin", "secrets", "proc"]) mkdirSync(join(root, name));
    writeFileSync(join(root, "bin/chown"), `#!/bin/sh\necho "$1" >>'${join(root, "owners")}'\n`);
    chmodSync(join(root, "bin/chown"), 0o755);
    /** The exit code of curl, which asks the agent's API. */
    const apiAnswers = (exitCode: number): void => {
      writeFileSync(join(root, "bin/curl"), `#!/bin/sh\nexit ${exitCode}\n`);
      chmodSync(join(root, "bin/curl"), 0o755);
    };
    apiAnswers(0);
    const start = (cmdline: string): ChildProcess => {
      const child = spawn("sleep", ["60"]);
      mkdirSync(join(root, "proc", String(child.pid)));
      writeFileSync(join(root, "proc", String(child.pid), "cmdline"), cmdline);
      return child;
    };
    const children = { agent: start("consul\0agent\0-server\0"), other: start("/bin/sh\0consul agent\0") };
    // A process that ends meanwhile has no command line.
    mkdirSync(join(root, "proc/999999999"));
    const install = (files: Readonly<Record<string, string>>) => {
      const archive = Object.entries(files).map(([name, text]) => ({ name, content: Buffer.from(text) }));
      return spawnSync("sh", ["-c", INSTALL_SCRIPT, "sh", join(root, "secrets"), join(root, "proc")], {
        encoding: "utf8",
        input: tarArchive(archive),
        env: { PATH: `${join(root, "bin")}:${process.env.PATH}` },
      });
    };
    return { root, children, install, apiAnswers };
  }

  test("replaces those that differ, and signals the agent alone", async () => {
    const { root, children, install } = container();
    writeFileSync(join(root, "secrets/ca.pem"), "same");
    writeFileSync(join(root, "secrets/tokens.json"), "old");
    const hungUp = once(children.agent, "exit");
    const { status, stdout } = install({ "ca.pem": "same", "tokens.json": "new", "gossip.json": "more" });
    expect([status, stdout]).toEqual([0, " gossip.json tokens.json\n"]);
    expect(await hungUp).toEqual([null, "SIGHUP"]);
    expect(children.other.exitCode ?? children.other.signalCode).toBeNull();
    children.other.kill();
    const names = readdirSync(join(root, "secrets"));
    expect(names.map((name) => readFileSync(join(root, "secrets", name), "utf8"))).toEqual(["same", "more", "new"]);
    expect(statSync(join(root, "secrets/tokens.json")).mode & 0o777).toBe(0o440);
    expect(readFileSync(join(root, "owners"), "utf8")).toBe("root:consul\nroot:consul\n");
  });

  describe("has Docker start an agent again", () => {
    /** An agent that survives SIGHUP, as one does. @returns the signal that ended it */
    async function endedBy(exitCode: number, files: Readonly<Record<string, string>>): Promise<string | null> {
      const { root, children, install, apiAnswers } = container();
      const { agent, other } = children;
      agent.kill();
      const ignoring = spawn("sh", ["-c", "trap : HUP; while :; do sleep 0.05; done"]);
      mkdirSync(join(root, "proc", String(ignoring.pid)));
      rmSync(join(root, "proc", String(agent.pid)), { recursive: true });
      writeFileSync(join(root, "proc", String(ignoring.pid), "cmdline"), "consul\0agent\0");
      apiAnswers(exitCode);
      await new Promise((resume) => setTimeout(resume, 200));
      expect(install(files).status).toBe(0);
      await new Promise((resume) => setTimeout(resume, 200));
      const { signalCode } = ignoring;
      for (const child of [ignoring, other]) child.kill("SIGKILL");
      return signalCode;
    }
    test("that is still starting, and would ignore the signal", async () =>
      expect(await endedBy(7, { "ca.pem": "new" })).toBe("SIGTERM"));
    test.each([0, 22, 28])("but none whose API listens: curl ends with %d", async (exitCode) =>
      expect(await endedBy(exitCode, { "ca.pem": "new" })).toBeNull(),
    );
    test("but no server, which does not wait for a certificate", async () =>
      expect(await endedBy(7, { "ca.pem": "new", "cert.pem": "new" })).toBeNull());
  });

  test("changes nothing if they are the same", () => {
    const { root, children, install } = container();
    writeFileSync(join(root, "secrets/ca.pem"), "same");
    expect(install({ "ca.pem": "same" })).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(children.agent.signalCode).toBeNull();
    children.agent.kill();
    children.other.kill();
  });

  test("fails, and leaves nothing behind, if what comes is no archive", () => {
    const { root, children } = container();
    const { status } = spawnSync("sh", ["-c", INSTALL_SCRIPT, "sh", join(root, "secrets"), join(root, "proc")], {
      input: "x".repeat(600),
    });
    expect(status).not.toBe(0);
    expect(readdirSync(join(root, "secrets"))).toEqual([]);
    children.agent.kill();
    children.other.kill();
  });
});

describe("registrator's token", () => {
  async function deliver(docker: FakeDocker, seconds = 0) {
    const request: DeliverTokenRequest = {
      step: "deliver-token",
      target: { daemon: "ssh://root@10.0.0.4", container: "registrator" },
      file: "../secrets/registrator.token",
      path: "/registrator.token",
      seconds,
    };
    const simulation = new Simulation();
    return simulation.until(deliverToken(request, docker, simulation.clock, () => undefined));
  }

  test("goes into the container as a file, and registrator starts again: no secret is an argument", async () => {
    const docker = new FakeDocker(() => "");
    expect(await deliver(docker)).toEqual({ kind: "allow", reason: "has its token" });
    expect(docker.lines()).toEqual([
      "cp ../secrets/registrator.token registrator:/registrator.token",
      "restart -t 5 registrator",
    ]);
  });

  test("does not restart registrator if it could not be delivered", async () => {
    const docker = new FakeDocker(() => failed("no such container"));
    expect(await deliver(docker)).toMatchObject({
      kind: "deny",
      reason: "its token cannot be delivered: no such container",
    });
    expect(docker.calls).toHaveLength(1);
  });

  test("is tried again while the daemon is unreachable", async () => {
    const docker = new FakeDocker((_, calls) => (calls < 3 ? failed("no route") : ""));
    expect((await deliver(docker, 9)).kind).toBe("allow");
    expect(docker.calls).toHaveLength(4);
  });
});
