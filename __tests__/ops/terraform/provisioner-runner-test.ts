import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { loadCluster } from "../../../cluster/file/load";
import { OWN_CONTAINER, OWN_NODE } from "../../../constructs/pre-stop";
import { evaluate, ProvisionerRunner } from "../../../ops/terraform/provisioner-runner";
import { folder, PROJECT } from "../../cluster-files";
import { notesCall } from "../../docker-stand-in";
import { synthesizeCluster } from "../../synthesized";

const ROOT = "/project/cdktf.out/stacks/c";

describe("a string as Terraform evaluates it", () => {
  test.each([
    ["plain text", "plain text"],
    ["$${HOME} and %%{if}", "${HOME} and %{if}"],
    ['${pathexpand("~/.docker")}/ca.pem', `${homedir()}/.docker/ca.pem`],
    ['${abspath("${path.root}/../../../certs")}/ca.pem', "/project/certs/ca.pem"],
    ["exec -i ${local.script}", "exec -i ${x}"],
    [OWN_CONTAINER, "old-name"],
    [`'${OWN_NODE}'`, "'old-node'"],
  ])("%s", (text, evaluated) =>
    expect(
      evaluate(text, { root: ROOT, locals: { script: "$${x}" }, self: { container: "old-name", node: "old-node" } }),
    ).toBe(evaluated),
  );

  test.each(["${docker_image.s1.image_id}", "${self.image}", "${local.unknown}", OWN_CONTAINER])(
    "%s is refused, not passed on",
    (text) => expect(() => evaluate(text, { root: ROOT })).toThrow("cannot be evaluated outside Terraform"),
  );
});

describe("the provisioners of a deploy", () => {
  /** Writes a cluster's stack, and puts a stand-in for the docker CLI on the PATH, which notes what it is called with and says yes. */
  function project(clusterFile: string) {
    const directory = folder();
    const { texts } = synthesizeCluster(loadCluster(join(PROJECT, clusterFile)));
    const [text] = Object.values(texts) as [string];
    writeFileSync(join(directory, "cdk.tf.json"), text);
    mkdirSync(join(directory, "bin"));
    const calls = join(directory, "calls");
    writeFileSync(calls, "");
    // An inspected container runs; a script that is sent is not run.
    writeFileSync(
      join(directory, "bin/docker"),
      `#!/bin/sh\n${notesCall(calls)}\ncase $* in *inspect*Status*) echo running ;; esac\n`,
    );
    chmodSync(join(directory, "bin/docker"), 0o755);
    return { directory, called: () => readFileSync(calls, "utf8").trim().split("\n") };
  }
  const { PATH } = process.env;
  const beforeCalling = (directory: string) => {
    process.env.PATH = `${join(directory, "bin")}:${PATH}`;
  };
  afterEach(() => {
    process.env.PATH = PATH;
  });

  test("the pre-stop check is made in the running container, by its own name and address, with the agent's lock", async () => {
    const { directory, called } = project("clusters/seed.yaml");
    beforeCalling(directory);
    const questions = new ProvisionerRunner(
      directory,
      () => undefined,
      new Map([["consul-server1", { name: "by-hand", http: "http://10.0.0.1:8500" }]]),
    );
    expect(
      await questions.checkBeforeStop("consul-server1", { container: "by-hand", node: "consul-server1" }),
    ).toBeUndefined();
    const calls = called();
    expect(calls[0]).toBe("-H ssh://root@172.16.8.120 container inspect -f {{.State.Status}} by-hand");
    expect(calls.find((call) => call.includes(" exec -i "))).toMatch(
      /^-H ssh:\/\/root@172\.16\.8\.120 exec -i -e CONSUL_HTTP_ADDR=http:\/\/10\.0\.0\.1:8500 by-hand \/bin\/sh -c SCRIPT sh 120 consul-server1 consul-server1/,
    );
  });

  test("the readiness check is made in the agent's container", async () => {
    const { directory, called } = project("clusters/seed.yaml");
    beforeCalling(directory);
    expect(await new ProvisionerRunner(directory, () => undefined).waitUntilReady("consul-client1")).toBeUndefined();
    expect(called()).toEqual([
      expect.stringMatching(
        /^-H ssh:\/\/root@172\.16\.8\.110 exec -i consul-client1 \/bin\/sh -c SCRIPT sh 120 consul-client1 client/,
      ),
    ]);
  });

  test("the final steps run in the order of a deploy, where Terraform runs them", async () => {
    const { directory, called } = project("clusters/seed.yaml");
    beforeCalling(directory);
    writeFileSync(
      join(directory, "bin/docker"),
      `#!/bin/sh\necho "$PWD: $(echo "$*" | grep -ao '^# [a-z]*.sh$' | tail -n 1)" >>${join(directory, "calls")}\n`,
    );
    expect(await new ProvisionerRunner(directory, () => undefined).runFinalSteps()).toBeUndefined();
    expect(called()).toEqual(["voters", "autopilot", "definitions"].map((step) => `${directory}: # ${step}.sh`));
  });

  test("the final steps end at the first failure", async () => {
    const { directory, called } = project("clusters/seed.yaml");
    beforeCalling(directory);
    writeFileSync(
      join(directory, "bin/docker"),
      `#!/bin/sh\necho "$*" | tail -n 1 >>${join(directory, "calls")}\necho 'no voter' >&2\nexit 3\n`,
    );
    expect(await new ProvisionerRunner(directory, () => undefined).runFinalSteps()).toBe("no voter");
    expect(called()).toHaveLength(1);
  });

  test("a failure has its reason", async () => {
    const { directory } = project("clusters/seed.yaml");
    beforeCalling(directory);
    writeFileSync(join(directory, "bin/docker"), "#!/bin/sh\necho 'not a voter' >&2\nexit 3\n");
    const said: string[] = [];
    expect(await new ProvisionerRunner(directory, (line) => said.push(line)).waitUntilReady("consul-server2")).toBe(
      "not a voter",
    );
    expect(said).toContain("not a voter");
  });

  test.each(["clusters/seed.yaml", "clusters/local.yaml", "e2e/clusters/daemons.yaml"])(
    "everything that a question of %s takes can be evaluated",
    async (file) => {
      const { directory } = project(file);
      beforeCalling(directory);
      const questions = new ProvisionerRunner(directory, () => undefined);
      for (const { name, container, node } of loadCluster(join(PROJECT, file)).agents) {
        expect(await questions.checkBeforeStop(name, { container, node })).toBeUndefined();
        expect(await questions.waitUntilReady(name)).toBeUndefined();
        expect(questions.image(name)).toMatch(/consul:/);
      }
    },
  );
});
