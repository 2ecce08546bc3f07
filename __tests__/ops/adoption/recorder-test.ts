import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describeProblem } from "../../../cluster/problem";
import { Recorder } from "../../../ops/adoption/recorder";
import type { Container } from "../../../ops/docker/container";
import { sha256 } from "../../../ops/sha256";
import { parseState } from "../../../ops/terraform/state";
import type { Stack } from "../../../ops/terraform/synth";
import { FOUR_HOSTS, folder, load } from "../../cluster-files";
import { ContainerStandIn } from "../../rollout/container-stand-in";
import { stacksOf } from "../../synthesized";

/** Terraform in a stack's folder, whose state and plan are files. Its calls are noted. */
const TERRAFORM = `#!/bin/sh
echo "$*" >>calls
case "$*" in
"state pull"*) [ ! -e state ] || cat state ;;
"state push "*) cp "$3" state ;;
"show -json "*) cat plan ;;
*-auto-approve*) [ -e state ] || echo '{"version":4,"serial":1,"lineage":"l","resources":[]}' >state ;;
esac
`;
/** The docker CLI of all hosts. A container is a file of what docker inspect prints. */
const DOCKER = `#!/bin/sh
case "$*" in
*" container inspect "*) cat "$DOCKER_STAND_IN/\${5}" 2>/dev/null || { echo "No such container" >&2; exit 1; } ;;
*" image inspect "*) echo '{"Env":["PATH=/bin"],"Labels":null}' ;;
*" cp "*) exec tar -c -f - -C "$DOCKER_STAND_IN" "$(basename "$4")" ;;
esac
`;
const PROVIDER = "registry.terraform.io/kreuzwerker/docker";
const cluster = load(`${FOUR_HOSTS}registrator: on\nbackups: { every: 1h }\n`);
const container = (name: string, config: Partial<Container["Config"]> = {}, running = true): Container => ({
  Id: `id-of-${name}`,
  Image: "sha256:1",
  Name: `/${name}`,
  RestartCount: 0,
  State: { Status: "", Running: running, ExitCode: 0, Error: "", StartedAt: "" },
  Config: { Image: "", Hostname: "", Cmd: null, Entrypoint: null, Env: ["PATH=/bin"], Labels: null, ...config },
  HostConfig: { NetworkMode: "host", RestartPolicy: { Name: "always" } },
  Mounts: [],
});
const owned = (role: string, agent: string, of = "c") => ({
  Labels: { "consul-cdktf.role": role, "consul-cdktf.cluster": of, "consul-cdktf.agent": agent },
});

const { PATH, TERRAFORM_BINARY_NAME } = process.env;
let docker: ContainerStandIn;
let stack: Stack;
let log: string[];
let recorder: Recorder;

beforeEach(() => {
  docker = new ContainerStandIn();
  docker.program("docker", DOCKER);
  docker.program("terraform", TERRAFORM);
  process.env.PATH = docker.path;
  process.env.DOCKER_STAND_IN = docker.root;
  process.env.TERRAFORM_BINARY_NAME = join(docker.root, "terraform");
  stack = { name: "c", folder: folder(), dependencies: [], json: stacksOf(cluster).c as Stack["json"] };
  log = [];
  recorder = new Recorder(cluster, folder(), (line) => log.push(line));
});
afterEach(() => {
  process.env.PATH = PATH;
  if (TERRAFORM_BINARY_NAME === undefined) delete process.env.TERRAFORM_BINARY_NAME;
  else process.env.TERRAFORM_BINARY_NAME = TERRAFORM_BINARY_NAME;
  delete process.env.DOCKER_STAND_IN;
});

const inStack = (file: string): string => join(stack.folder, file);
const exists = (found: Container): void => docker.program(found.Name, JSON.stringify([found]));
function plans(plan: object): void {
  mkdirSync(dirname(inStack("plan")), { recursive: true });
  writeFileSync(inStack("plan"), JSON.stringify(plan));
}
const calls = (): string[] => readFileSync(inStack("calls"), "utf8").trim().split("\n");
const change = (type: string, ...actions: string[]) => ({ address: `${type}.x`, type, change: { actions } });

test("containers are written into the state as a plan would create them, with their own ids and values", async () => {
  const hash = sha256("script");
  const values = {
    name: "s1",
    destroy_grace_seconds: 30,
    upload: [
      { file: "/consul/config/agent.json", content: "{}", source_hash: "" },
      { file: "/consul/health.sh", content: "", source_hash: hash },
    ],
  };
  const address = "docker_container.s1";
  plans({
    planned_values: { root_module: { resources: [{ address, provider_name: PROVIDER, schema_version: 2, values }] } },
  });
  docker.program("agent.json", '{"changed":true}');
  docker.program("health.sh", "script");
  const s1 = cluster.hosts.find(({ name }) => name === "s1") as (typeof cluster.hosts)[number];
  await recorder.record(stack, [{ stack, id: "s1", host: s1, container: container("s1", owned("server", "s1")) }]);

  const { resources } = parseState(readFileSync(inStack("state"), "utf8"));
  expect(resources).toMatchObject([
    {
      address,
      provider: "s1_host",
      attributes: {
        id: "id-of-s1",
        image: "sha256:1",
        destroy_grace_seconds: 30,
        env: [],
        upload: [{ content: '{"changed":true}' }, { source_hash: hash }],
      },
    },
  ]);
  const [images, ...others] = calls();
  expect(images).toMatch(/^apply .*-target=docker_image\.s1( |$)/);
  expect(others.filter((call) => call.startsWith("apply"))).toEqual([]);
});

describe("the steps of a deploy", () => {
  const complete = (...changes: object[]) => {
    plans({ resource_changes: [change("docker_container", "no-op"), ...changes] });
    return recorder.complete(stack);
  };
  const applied = (): boolean => calls().some((call) => call.startsWith("apply"));

  test("are run if the plan has nothing else", async () => {
    expect(await complete(change("terraform_data", "create"), change("terraform_data", "delete", "create"))).toEqual(
      [],
    );
    expect(applied()).toBe(true);
  });

  test.each([[["update"]], [["delete", "create"]], [["create"]], [["delete"]]])(
    "are left to a deploy if a container changes: %p",
    async (actions) => {
      const changes = await complete(change("terraform_data", "create"), change("docker_container", ...actions));
      expect(changes).toEqual(["docker_container.x"]);
      expect(applied()).toBe(false);
    },
  );
});

describe("containers beside agents", () => {
  const found = async (...existing: Container[]) => {
    for (const each of existing) exists(each);
    const { found: unrecorded, problems } = await recorder.besideAgents([stack], []);
    return { ids: unrecorded.map(({ id }) => id).sort(), problems: problems.map(describeProblem).sort() };
  };
  const REGISTRATORS = ["c1_registrator", "s1_registrator", "s2_registrator", "s3_registrator"];

  test("are registrators and scheduled backups, by their names and labels", async () => {
    const registrator = container("registrator", owned("registrator", "c1"));
    const backups = container("s1-backups", owned("backups", "s1"));
    expect(await found(registrator, backups)).toEqual({ ids: [...REGISTRATORS, "s1_backups"].sort(), problems: [] });
  });

  test("that belong to others, or do not run, are reported with their hosts", async () => {
    const { problems } = await found(
      container("registrator"),
      container("s1-backups", owned("backups", "s2")),
      container("s2-backups", owned("backups", "s2", "other")),
      container("s3-backups", owned("backups", "s3"), false),
    );
    const texts = problems.join("\n");
    expect(problems).toHaveLength(7);
    expect(texts).toContain(
      "s1: error adopt-other-cluster: the container s1-backups is not this cluster's: its labels have the role backups, the cluster c, the agent s2",
    );
    expect(texts).toContain("the cluster other, the agent s2");
    expect(texts).toContain("the container registrator is not this cluster's: it was not created by this product");
    expect(texts).toContain("s3: error adopt-not-running: the container s3-backups does not run");
  });

  test("that only a state has are gone, unless their host has them", async () => {
    const state = (...names: string[]) =>
      parseState(
        JSON.stringify({
          version: 4,
          resources: names.map((name) => ({
            mode: "managed",
            type: "docker_container",
            name,
            provider: `provider["${PROVIDER}"].${name}_host`,
            instances: [{ attributes: { id: `id-of-${name}` } }],
          })),
        }),
      );
    // s1 is in the file, s9's host is not.
    const states = new Map([["c", state("s1", "s9")]]);
    expect(await recorder.gone([stack], states)).toEqual([]);
    const removed = { ...stack, json: {} };
    expect(await recorder.gone([removed], states)).toEqual([{ stack: removed, address: "docker_container.s1" }]);
    docker.program("id-of-s1", "[{}]");
    expect(await recorder.gone([removed], states)).toEqual([]);
  });

  test("that are in the state are not found", async () => {
    exists(container("s1-backups", owned("backups", "s1")));
    const recorded = parseState(
      JSON.stringify({
        version: 4,
        resources: [
          {
            mode: "managed",
            type: "docker_container",
            name: "s1_backups",
            provider: `provider["${PROVIDER}"].s1_host`,
            instances: [{ attributes: { id: "id-of-s1-backups" } }],
          },
        ],
      }),
    );
    expect((await recorder.besideAgents([stack], recorded.resources)).found).toEqual([]);
    expect(existsSync(inStack("calls"))).toBe(false);
  });
});
