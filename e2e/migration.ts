import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KV, OWN_LABELS } from "../consul/contract";
import type { Change } from "../ops/explain/changes";
import { CASES, EVERYTHING } from "./compatibility/cases";
import { readCompleteStack } from "./compatibility/expected";
import { ConsulHttp, eventually } from "./consul";
import { HOST_DATA, onThisTestBed } from "./daemons";
import { pause } from "./pause";
import { Project } from "./project";
import type { RunningCommand } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";

/** The cluster's stacks, in the order of their deployment. */
const STACKS = ["everything-a", "everything", "everything-web"] as const;
type StackName = (typeof STACKS)[number];
/** Hosts, with their agents' containers and HTTP ports. */
const SERVERS = {
  "consul-server1": { container: "consul-server1", node: "consul-server1", port: 8500 },
  "consul-server2": { container: "second.consul", node: "second", port: 8500 },
  "consul-server3": { container: "consul-server3", node: "consul-server3", port: 9500 },
} as const;
type Server = keyof typeof SERVERS;
const SERVER_HOSTS = Object.keys(SERVERS) as Server[];
const CLIENT = "consul-client1";
const AGENT_CONTAINERS = [
  "consul-client1/consul-client1",
  "consul-client2/consul-client2",
  ...Object.entries(SERVERS).map(([host, { container }]) => `${host}/${container}`),
].sort();
/** Containers by host, with those beside the agents. */
const ALL_CONTAINERS = [
  ...AGENT_CONTAINERS,
  ...Object.entries(SERVERS).flatMap(([host, { container }]) => [`${host}/${container}-backups`]),
  ...["consul-client1", "consul-server1", "consul-server2"].map((host) => `${host}/registrator`),
  "consul-client2/registrator-of-web",
].sort();
/** Hosts of the cluster file that the test bed does not have by default. */
const MORE_HOSTS = { "consul-client2": "172.16.8.111", "consul-client3": "172.16.8.112" } as const;

const CLUSTER_FILE = onThisTestBed(CASES.find(({ name }) => name === EVERYTHING)?.text ?? "");
const OLD_JSON = Object.fromEntries(
  STACKS.map((stack) => [stack, onThisTestBed(readCompleteStack(EVERYTHING, stack))]),
) as Record<StackName, string>;

/** Agents that get a label of their own: how the cluster file and the earlier version's JSON have it. */
const LABELLED = {
  "consul-server1": {
    stack: "everything-a",
    file: (text: string, round: string) =>
      replacedOnce(text, "  - consul-server1\n", `  - { name: consul-server1, labels: { round: "${round}" } }\n`),
  },
  "consul-client2": {
    stack: "everything-web",
    file: (text: string, round: string) =>
      replacedOnce(text, "labels: { owner:", `labels: { round: "${round}", owner:`),
  },
} as const;
type Labelled = keyof typeof LABELLED;

function replacedOnce(text: string, part: string, by: string): string {
  if (text.split(part).length !== 2) throw new Error(`the cluster file does not have this once: ${part}`);
  return text.replace(part, () => by);
}

/** The earlier version's JSON of an agent's stack, with a label for the agent. */
function labelled(agent: Labelled, round: string): string {
  const json = JSON.parse(OLD_JSON[LABELLED[agent].stack]);
  json.resource.docker_container[agent].labels.push({ label: "round", value: round });
  return JSON.stringify(json, undefined, 2);
}

/**
 * A cluster with everything on, which an earlier version deployed. The new version's deploy replaces every container
 * once, and its deploys complete what the earlier version's began.
 */
export function describeMigration(program: "terraform" | "tofu"): void {
  describe(`a cluster that an earlier version deployed with ${program}`, () => {
    const testBed = TestBed.standing((line) => process.stderr.write(`${line}\n`));
    const project = new Project(testBed.operator, "clusters/everything.yaml");
    const env = { TERRAFORM_BINARY_NAME: program };
    const npm = (...args: string[]) => project.run("npm", ["run", "-s", ...args], { check: false, env });
    const deploy = async () => {
      const { exitCode, stdout, stderr } = await npm("deploy", "--", "--auto-approve");
      if (exitCode !== 0) throw new Error(`the deploy failed:\n${stdout.slice(-6000)}\n${stderr.slice(-3000)}`);
      return stdout;
    };
    const terraform = (stack: StackName, args: readonly string[], check = true) =>
      project.run(program, [`-chdir=cdktf.out/stacks/${stack}`, ...args], { check, env });
    /** The labels that agents have by now. */
    const rounds: Partial<Record<Labelled, string>> = {};
    const writeFile = (clusterLabels = "cluster: everything") => {
      let text = replacedOnce(CLUSTER_FILE, "labels: { cluster: everything }", `labels: { ${clusterLabels} }`);
      for (const [agent, round] of Object.entries(rounds)) text = LABELLED[agent as Labelled].file(text, round);
      writeFileSync(join(project.folder, project.clusterFile), text);
    };
    const init = (stack: StackName) => terraform(stack, ["init", "-input=false", "-no-color"]);
    const apply = ["apply", "-auto-approve", "-input=false", "-no-color"];

    /** An API that only its own host reaches, with the management token. */
    const api = (host: string, port: number) => {
      const folder = join(project.folder, "secrets/of-everything/operator");
      const file = (name: string) => join(folder, name);
      const credentials = {
        ca: file("ca.pem"),
        cert: file("cert.pem"),
        key: file("key.pem"),
        header: file("token.header"),
      };
      return new ConsulHttp(testBed.host(host), `http://127.0.0.1:${port}`, credentials);
    };
    const server = (host: Server) => api(host, SERVERS[host].port);
    const entries = async (): Promise<string[]> =>
      JSON.parse(await server("consul-server3").get("/v1/kv/consul-cdktf/?keys"));
    const isHeld = async (key: string) => (await entries()).some((name) => name.startsWith(key));

    /** Every container of the test bed, and when it was started. */
    const containers = async (): Promise<Record<string, string>> => {
      const all = testBed.hosts.map(async (host) => {
        const ids = (await host.docker("ps", "-aq", "--no-trunc")).stdout.split("\n").filter(Boolean);
        if (ids.length === 0) return [];
        const { stdout } = await host.docker("inspect", "-f", "{{.Name}}|{{.Id}} {{.State.StartedAt}}", ...ids);
        return stdout
          .trim()
          .split("\n")
          .map((line) => [`${host.name}${line.split("|")[0]}`, line.split("|")[1] as string] as const);
      });
      return Object.fromEntries((await Promise.all(all)).flat());
    };
    const touchedBy = async (work: () => Promise<unknown>): Promise<string[]> => {
      const before = await containers();
      await work();
      const after = await containers();
      return [...new Set([...Object.keys(before), ...Object.keys(after)])]
        .filter((name) => before[name] !== after[name])
        .sort();
    };

    /** Looks at all servers, and writes keys through a client agent, during some work. */
    const during = async (
      work: () => Promise<unknown>,
    ): Promise<{ readonly mostDown: number; readonly keys: string[] }> => {
      const run = `before/${Date.now()}`;
      const keys: string[] = [];
      const down = new Set<string>();
      let mostDown = 0;
      let going = true;
      const look = async (host: Server) => {
        for (; going; await pause(0.2)) {
          const answers = await server(host)
            .get("/v1/status/peers")
            .then(
              () => true,
              () => false,
            );
          if (answers) down.delete(host);
          else down.add(host);
          mostDown = Math.max(mostDown, down.size);
        }
      };
      const write = async () => {
        for (let number = 0; going; number++, await pause(0.2)) {
          const key = `${run}/${number}`;
          const stored = await api(CLIENT, 8500)
            .put(`/v1/kv/${key}`, String(number))
            .catch(() => "");
          if (stored.trim() === "true") keys.push(key);
        }
      };
      const users = [...SERVER_HOSTS.map(look), write()];
      await work().finally(() => {
        going = false;
      });
      await Promise.all(users);
      process.stderr.write(`    ${keys.length} keys were written; ${mostDown} servers were down at once, at most\n`);
      return { mostDown, keys };
    };

    const expectSound = async (keys: readonly string[]) => {
      for (const host of SERVER_HOSTS) {
        await eventually(async () => {
          const { Servers } = await server(host).json("/v1/operator/raft/configuration");
          const voters = Servers.filter(({ Voter }: { Voter: boolean }) => Voter).map(
            ({ Node }: { Node: string }) => Node,
          );
          expect(voters.sort()).toEqual(
            Object.values(SERVERS)
              .map(({ node }) => node)
              .sort(),
          );
          expect(await server(host).json("/v1/operator/autopilot/health")).toMatchObject({ Healthy: true });
          const there: string[] = await server(host).json("/v1/kv/?keys&stale");
          expect(keys.filter((key) => !there.includes(key))).toEqual([]);
          expect(await server(host).get("/v1/kv/shop/open?raw&stale")).toBe("yes");
        }, 60);
      }
      expect((await entries()).filter((key) => key !== KV.definitions)).toEqual([]);
    };
    /** Expects that the new version's commands, and plain plans of its JSON, have nothing to do. */
    const expectNothingToDo = async () => {
      const { exitCode, stdout, stderr } = await npm("diff", "--", "--detailed-exitcode");
      expect(stdout + stderr).toContain("nothing to do; containers: ");
      expect(exitCode).toBe(0);
      await project.cdktf(["synth"], { env });
      for (const stack of STACKS) {
        expect(project.synthesized(stack)).not.toEqual(JSON.parse(OLD_JSON[stack]));
        await init(stack);
        const plan = await terraform(stack, ["plan", "-detailed-exitcode", "-input=false", "-no-color"], false);
        expect({ stack, exitCode: plan.exitCode, stdout: plan.stdout }).toMatchObject({ exitCode: 0 });
        expect(plan.stdout).toContain("No changes.");
      }
    };
    /**
     * Applies the earlier version's JSON with a label for one agent, and kills Terraform and everything that it started
     * at some moment, at which the agent holds the deploy lock or a rollout slot.
     */
    const killedDeploy = async (
      agent: Labelled,
      round: string,
      key: string,
      moment: (deploy: RunningCommand) => Promise<boolean>,
    ) => {
      const { stack } = LABELLED[agent];
      project.placeStack(stack, labelled(agent, round));
      await init(stack);
      const deploy = testBed.operator.spawn(program, [`-chdir=cdktf.out/stacks/${stack}`, ...apply], {
        cwd: project.folder,
        env,
      });
      let ended = false;
      void deploy.finished.then(() => {
        ended = true;
      });
      const end = Date.now() + 120_000;
      while (!(await moment(deploy))) {
        if (ended || Date.now() > end) {
          deploy.killAll();
          throw new Error(
            `the moment to kill it did not come:\n${deploy.stdout.slice(-3000)}${deploy.stderr.slice(-3000)}`,
          );
        }
        await pause(0.05);
      }
      deploy.killAll();
      await deploy.finished;
      expect(deploy.stdout).not.toContain("Apply complete!");
      rounds[agent] = round;
      writeFile();
      // It was the right moment: nobody has released it.
      await eventually(async () => expect(await isHeld(key)).toBe(true));
    };
    /**
     * Deploys again. OpenTofu writes a local state every 20 s, so that a killed one may not have recorded what it created:
     * then the deploy is rejected, and doctor replaces that, as the hint says.
     */
    const complete = async () => {
      const { exitCode, stderr } = await npm("deploy", "--", "--auto-approve");
      if (exitCode === 0) return;
      expect({ program, stderr }).toEqual({
        program: "tofu",
        stderr: expect.stringContaining("error container-exists"),
      });
      const doctor = await npm("doctor", "--", "--fix");
      expect(doctor.stdout).toContain("is not in the Terraform state");
      expect(doctor).toMatchObject({ exitCode: 0 });
      await deploy();
    };
    const expectCompleted = async (agent: Labelled, killed: () => Promise<void>) => {
      let touched: string[] = [];
      const { mostDown, keys } = await during(async () => {
        touched = await touchedBy(async () => {
          await killed();
          await complete();
        });
      });
      // The earlier version's JSON replaces the containers of the agent's host, as far as its deploy comes.
      expect(touched.filter((container) => !container.startsWith(`${agent}/`))).toEqual([]);
      expect(touched).toContain(`${agent}/${agent}`);
      expect(mostDown).toBeLessThan(2);
      const { stdout } = await testBed.host(agent).docker("inspect", "-f", '{{index .Config.Labels "round"}}', agent);
      expect(stdout.trim()).toBe(rounds[agent]);
      await expectSound(keys);
      await expectNothingToDo();
    };

    beforeAll(async () => {
      if (program === "tofu") await testBed.opentofu();
      for (const [host, address] of Object.entries(MORE_HOSTS)) await testBed.addHost(host, address);
      await testBed.reset();
      rmSync(HOST_DATA, { recursive: true, force: true });
      testBed.operator.logIn(testBed.registry.addresses.private, testBed.registry.credentials);
      writeFile();
      await project.run("npm", ["run", "-s", "secrets", "--", "init"]);
      for (const stack of STACKS) {
        project.placeStack(stack, OLD_JSON[stack]);
        await init(stack);
        await terraform(stack, apply);
      }
    }, 1_800_000);
    afterAll(async () => {
      await testBed.reset();
      for (const host of Object.keys(MORE_HOSTS)) await testBed.removeHost(host);
      rmSync(HOST_DATA, { recursive: true, force: true });
      project.remove();
    });

    test("is sound, and the new version's plan replaces every container, and no other resource", async () => {
      await expectSound([]);
      const { stdout, exitCode } = await npm("diff", "--", "--json", "--detailed-exitcode");
      expect(exitCode).toBe(2);
      const stacks: { changes: Change[]; unchanged: number }[] = JSON.parse(stdout).stacks;
      expect(stacks.map(({ unchanged }) => unchanged)).toEqual([0, 0, 0]);
      const changes = stacks.flatMap((stack) => stack.changes);
      expect(changes.filter(({ action, type }) => action !== "replace" && type !== "terraform_data")).toEqual([]);
      const containers = changes.filter(({ type }) => type === "docker_container");
      expect(containers).toHaveLength(ALL_CONTAINERS.length);
      // Scripts have new comments, and registrators have none.
      const reasons = containers.flatMap((container) => container.reasons.map(({ what }) => what));
      expect([...new Set(reasons)].sort()).toEqual(["label", "upload"]);
    });

    test("is upgraded: every container is replaced, one server at a time, and nothing is lost", async () => {
      let touched: string[] = [];
      const { mostDown, keys } = await during(async () => {
        touched = await touchedBy(deploy);
      });
      expect(touched).toEqual(ALL_CONTAINERS);
      expect(mostDown).toBeLessThan(2);
      await expectSound(keys);
      await expectNothingToDo();
      for (const host of testBed.hosts) {
        const filter = ["--filter", `label=${OWN_LABELS.cluster}=everything`];
        const count = async (...args: string[]) => (await host.docker("ps", "-aq", ...args)).stdout.length;
        expect(await count(...filter)).toBe(await count());
      }
    });

    test("that a deploy of the new version finds as it is, is left as it is", async () => {
      expect(await touchedBy(deploy)).toEqual([]);
    });

    test("a deploy of the earlier version, killed while it holds the deploy lock, is completed by the new one", () =>
      expectCompleted("consul-server1", () => killedDeploy("consul-server1", "lock", KV.lock, () => isHeld(KV.lock))));

    test("a deploy of the earlier version, killed while it holds a rollout slot, is completed by the new one", () =>
      expectCompleted("consul-client2", () =>
        killedDeploy("consul-client2", "slot", KV.slots, () => isHeld(KV.slots)),
      ));

    test("a deploy of the earlier version, killed before the readiness check of a new container has ended, is completed by the new one", () =>
      expectCompleted("consul-server1", () =>
        killedDeploy("consul-server1", "readiness", KV.lock, async ({ stdout }) =>
          stdout.includes("terraform_data.consul-server1: Provisioning with 'local-exec'"),
        ),
      ));

    test("is changed by the new version: all agents are replaced, one server at a time", async () => {
      writeFile("cluster: everything, all: changed");
      let touched: string[] = [];
      const { mostDown, keys } = await during(async () => {
        touched = await touchedBy(deploy);
      });
      expect(touched).toEqual(AGENT_CONTAINERS);
      expect(mostDown).toBeLessThan(2);
      await expectSound(keys);
      await expectNothingToDo();
    });
  });
}
