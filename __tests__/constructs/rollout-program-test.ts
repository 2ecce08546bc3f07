import { spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { App, TerraformStack } from "cdktf";
import fc from "fast-check";
import { escapedAll } from "../../constructs/escape";
import { OWN_CONTAINER, OWN_NODE } from "../../constructs/pre-stop";
import { namedRequest, requestText } from "../../constructs/request-text";
import { rolloutBundle } from "../../constructs/rollout-bundle";
import { RolloutProgram } from "../../constructs/rollout-program";
import type { DecommissionRequest, DefinitionsRequest, ServicesRequest, StepRequest } from "../../rollout/request";
import { REQUEST_VARIABLE } from "../../rollout/request";
import { folder, HEAD, load, PROJECT } from "../cluster-files";
import { evaluatedRequest, requestOf, synthesize, synthesizeCluster } from "../synthesized";

const services = (declared: string): ServicesRequest => ({
  step: "services",
  target: { daemon: "ssh://root@10.0.0.1", container: "s1" },
  role: "server",
  node: "s1",
  declared,
  seconds: 1,
});

const provisionerOf = (request: StepRequest, label = "services s1") =>
  RolloutProgram.of(new TerraformStack(new App({ outdir: folder() }), "t")).provisioner(label, request);

/** What Terraform gives to the program. It normalizes all strings. */
const received = (request: StepRequest, self?: { name: string; command: string[] }) => {
  const { version: _, ...parsed } = JSON.parse(
    evaluatedRequest(requestText(escapedAll(request)).normalize("NFC"), self && escapedAll(self)),
  );
  return parsed;
};

/** Text with the syntax of JSON, the shell and Terraform, and characters that are no text. */
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 6 }),
      fc.constantFrom("${", "$${", "%{", "%%{", "}", '"', "'", "\\", "\n", "\0", "$", "e\u0301", "\ud800", "\u2028"),
      fc.constantFrom("${self.name}", '"${self.name}"', "${jsonencode(self.name)}", OWN_NODE, "`id`", "$HOME", "<&>"),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(""));

describe("the program receives what the construct asked", () => {
  test("whatever its texts are", () => {
    const objects = fc.record({
      kv: fc.dictionary(text, text, { maxKeys: 3, noNullPrototype: true }),
      config_entries: fc.dictionary(text, fc.anything({ values: [text], maxDepth: 0 }), {
        maxKeys: 2,
        noNullPrototype: true,
      }),
      prepared_queries: fc.constant({}),
    });
    fc.assert(
      fc.property(objects, text, text, (given, daemon, secrets) => {
        const request: DefinitionsRequest = {
          step: "definitions",
          objects: given,
          servers: [{ daemon, certs: daemon, container: "s1" }],
          secrets,
          seconds: 120,
        };
        expect(received(request)).toEqual(request);
      }),
      { seed: 20190127, numRuns: 300 },
    );
  });

  test("with the names of the container that is destroyed, and in no other place", () => {
    fc.assert(
      fc.property(text, text, text, (name, node, other) => {
        const request: DecommissionRequest = {
          step: "decommission",
          target: { daemon: other, container: "x" },
          role: "server",
          owner: other,
          node: "x",
          seconds: 1,
          limit: 3,
          servers: [{ daemon: other, container: other }],
        };
        const written = requestText({
          ...escapedAll(request),
          target: { daemon: escapedAll(other), container: OWN_CONTAINER },
          node: OWN_NODE,
        });
        const self = { name: escapedAll(name), command: escapedAll(["agent", `-node=${node}`, "-ui"]) };
        const expected = { ...request, target: { daemon: other, container: name }, node };
        expect(JSON.parse(evaluatedRequest(written, self))).toEqual({ version: 1, ...expected });
        // What a command makes of it, outside of Terraform, which takes the names literally.
        expect(JSON.parse(evaluatedRequest(namedRequest(written, { container: name, node })))).toEqual({
          version: 1,
          ...expected,
        });
      }),
      { seed: 20190127, numRuns: 300 },
    );
  });

  test.each([["plain"], ["two words"], ["it's"], ["$HOME"], ["`id`"], ['"'], ["a;b"], ["*"], ["\\"], ["a\nb"], ["\0"]])(
    "the text %j, by an environment variable",
    (declared) => {
      const { environment = {} } = provisionerOf(services(declared));
      const { stdout } = spawnSync(process.execPath, ["-p", `process.env.${REQUEST_VARIABLE}`], {
        encoding: "utf8",
        env: environment,
      });
      expect(JSON.parse(stdout)).toEqual({ version: 1, ...services(declared) });
    },
  );

  test("if it is as large as Linux takes it; a larger one fails the synth, and not the deploy", () => {
    const fixed = `${REQUEST_VARIABLE}=${requestText(services(""))}\0`.length;
    const largest = services("${".repeat((128 * 1024 - fixed) / 2).padEnd(128 * 1024 - fixed, "x"));
    const { environment = {} } = provisionerOf(escapedAll(largest));
    const given = evaluatedRequest(environment[REQUEST_VARIABLE] ?? "");
    const start = (value: string) => spawnSync(process.execPath, ["-e", ""], { env: { [REQUEST_VARIABLE]: value } });
    expect(start(given).status).toBe(0);
    if (process.platform === "linux") expect(start(`${given} `).error).toMatchObject({ code: "E2BIG" });
    expect(() => provisionerOf(escapedAll(services(`${largest.declared}x`)), "services s1")).toThrow(
      't/consul_rollout: the request "services s1" has 131073 bytes, and a deploy can pass on 131072',
    );
  });

  test("as large as a cluster file may have it", () => {
    for (const piece of ["y", '"', "\\", "ü", "e\u0301"]) {
      const cluster = (count: number) =>
        load(
          `${HEAD}hosts: { s1: 10.0.0.1 }\nservers: [s1]\nservices: [{ name: web, meta: { a: ${JSON.stringify(piece.repeat(count))} } }]\n`,
        );
      let [fits, exceeds] = [0, 200_000];
      while (exceeds - fits > 2000) {
        const count = Math.floor((fits + exceeds) / 2);
        try {
          cluster(count);
          fits = count;
        } catch {
          exceeds = count;
        }
      }
      const step = synthesizeCluster(cluster(fits)).stacks.c?.resource.terraform_data.s1_services;
      const { environment = {} } = step?.provisioner[0]?.["local-exec"] ?? {};
      const { status } = spawnSync(process.execPath, ["-e", ""], {
        env: { [REQUEST_VARIABLE]: environment[REQUEST_VARIABLE] },
      });
      expect({ piece, status }).toEqual({ piece, status: 0 });
      expect(requestOf("services", step).declared).toContain(JSON.stringify(piece.repeat(fits)));
    }
  });
});

test("Terraform starts the program itself, by a path that does not depend on where it runs", () => {
  expect(provisionerOf(services("{}"), "services s1")).toMatchObject({
    type: "local-exec",
    interpreter: ["node", "${path.module}/rollout.cjs"],
    command: "services s1",
  });
});

test.each(["NODE_OPTIONS", "NODE_DEBUG", "NODE_V8_COVERAGE"])("%s of whoever runs Terraform is cleared", (name) =>
  expect(provisionerOf(services("{}")).environment?.[name]).toBe(""),
);

test("code that NODE_OPTIONS would load first does not run", () => {
  const file = join(folder(), "before.cjs");
  writeFileSync(file, "console.log('before')");
  const run = (environment: Record<string, string> = {}) =>
    spawnSync(process.execPath, ["-p", "'program'"], {
      encoding: "utf8",
      env: { NODE_OPTIONS: `--require ${file}`, NODE_DEBUG: "module", ...environment },
    });
  expect(run().stdout).toBe("before\nprogram\n");
  const cleared = run(provisionerOf(services("{}")).environment);
  expect([cleared.stdout, cleared.stderr]).toEqual(["program\n", ""]);
});

describe("the program", () => {
  const GROUPS = `${HEAD}hosts: { s1: 10.0.0.1, c1: { address: 10.0.0.2, group: edge } }\nservers: [s1]\nclients: [c1]\n`;

  test("is beside the JSON of each stack, once, with the scripts of its containers, and nothing else is", () => {
    const { outdir, stacks } = synthesizeCluster(load(GROUPS));
    expect(Object.keys(stacks)).toEqual(["c", "c-edge"]);
    const scripts: Record<string, string[]> = { c: ["health.sh", "leave-leadership.sh"], "c-edge": ["health.sh"] };
    for (const name of Object.keys(stacks)) {
      const beside = scripts[name] ?? [];
      expect(readdirSync(join(outdir, "stacks", name)).sort()).toEqual(["cdk.tf.json", ...beside, "rollout.cjs"]);
      for (const script of beside)
        expect(readFileSync(join(outdir, "stacks", name, script))).toEqual(
          readFileSync(join(PROJECT, "container", script)),
        );
      expect(readFileSync(join(outdir, "stacks", name, "rollout.cjs"))).toEqual(readFileSync(rolloutBundle()));
    }
  });

  test("is not beside a stack that makes no request", () => {
    const { outdir } = synthesize((app) => new TerraformStack(app, "empty"));
    expect(existsSync(join(outdir, "stacks/empty/rollout.cjs"))).toBe(false);
  });

  test("is one for all provisioners of a stack", () => {
    const stack = new TerraformStack(new App({ outdir: folder() }), "t");
    expect(RolloutProgram.of(stack)).toBe(RolloutProgram.of(stack));
  });

  test("is replaced as a whole: who has opened the one before reads it to its end", () => {
    const outdir = folder();
    const directory = join(outdir, "stacks/t");
    const file = join(directory, "rollout.cjs");
    mkdirSync(directory, { recursive: true });
    writeFileSync(file, "the one before");
    const opened = openSync(file, "r");
    const app = new App({ outdir });
    RolloutProgram.of(new TerraformStack(app, "t"));
    app.synth();
    const content = Buffer.alloc(100);
    expect(content.toString("utf8", 0, readSync(opened, content))).toBe("the one before");
    closeSync(opened);
    expect(readFileSync(file)).toEqual(readFileSync(rolloutBundle()));
    expect(readdirSync(directory)).toEqual(["cdk.tf.json", "rollout.cjs"]);
  });
});
