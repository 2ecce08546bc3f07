import fc from "fast-check";
import { STAGE_ON_THE_WIRE } from "../../consul/contract";
import { ContainerUnreachable } from "../../rollout/consul-api";
import { dockerEnvironment, REDIRECTING } from "../../rollout/environment";
import { acquireLock } from "../../rollout/lock";
import { serverHealth } from "../../rollout/queries";
import { incompatibleMembers, STAGES } from "../../rollout/security-compat";
import { consulVersion, type Version, versionRule } from "../../rollout/version-rule";
import { SimulatedCluster, Simulation } from "./simulation";

const version = (text: string): Version => consulVersion(`Consul v${text}\nRevision x`) as Version;

describe("data that one version has written may be given to another", () => {
  test.each([
    ["1.22.2", "1.22.2", "allow"],
    ["1.22.2", "1.22.7", "allow"],
    ["1.21.5", "1.22.2", "allow"],
    ["1.20.6", "1.22.2", "allow"],
    ["1.19.2", "1.22.2", "deny"],
    ["1.22.2", "1.21.5", "deny"],
    ["1.22.7", "1.22.2", "deny"],
    ["1.22.7", "2.0.0", "allow"],
    ["1.22.7", "2.1.0", "allow"],
    ["1.22.7", "2.2.0", "deny"],
    ["1.21.5", "2.0.0", "deny"],
    ["1.21.5", "2.1.0", "deny"],
    ["2.0.3", "1.22.7", "deny"],
    ["2.0.0", "2.1.0", "allow"],
    ["2.1.0", "2.0.4", "deny"],
    ["2.0.4", "2.0.3", "deny"],
    ["2.1.0", "2.3.0", "allow"],
    ["2.1.0", "2.4.0", "deny"],
  ])("from %s to %s: %s", (from, to, kind) => expect(versionRule(version(from), version(to)).kind).toBe(kind));

  test("2.x follows 1.22, so an older version has that one to go through", () => {
    expect(versionRule(version("1.21.5"), version("2.0.0"))).toMatchObject({
      reason: "from 1.21.5 to 2.0.0: Consul 2.0 follows 1.22",
      hint: "first deploy the last release of 1.22",
    });
  });

  test("what is not the output of `consul version` has none", () => {
    expect(["", "Consul", "consul v1.2.3", "Consul v1.2"].map(consulVersion)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("of two versions at most one may follow the other, unless they are the same", () => {
    const any = fc.record({ major: fc.constantFrom(1, 2, 3), minor: fc.nat({ max: 22 }), patch: fc.nat({ max: 9 }) });
    fc.assert(
      fc.property(any, any, (a, b) => {
        const both = [versionRule(a, b).kind, versionRule(b, a).kind];
        const same = a.major === b.major && a.minor === b.minor && a.patch === b.patch;
        return same ? both.every((kind) => kind === "allow") : both.filter((kind) => kind === "allow").length <= 1;
      }),
    );
  });
});

describe("the environment of the docker CLI", () => {
  const REDIRECTING_NAMES = [
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_TLS",
    "DOCKER_TLS_VERIFY",
    "DOCKER_CERT_PATH",
    "DOCKER_API_VERSION",
    "DOCKER_DEFAULT_PLATFORM",
    "DOCKER_CONTENT_TRUST",
    "DOCKER_CUSTOM_HEADERS",
    "DOCKER_CLI_EXPERIMENTAL",
    "NODE_OPTIONS",
  ];

  test("has a reason for each variable that it leaves out", () => {
    expect(Object.keys(REDIRECTING).sort()).toEqual([...REDIRECTING_NAMES].sort());
    for (const reason of Object.values(REDIRECTING)) expect(reason).toMatch(/^\w+ .{10}/);
  });

  test("has nothing that would redirect it, and all else", () => {
    const env = Object.fromEntries(
      [...REDIRECTING_NAMES, "PATH", "SSH_AUTH_SOCK", "DOCKER_CONFIG", "AWS_PROFILE", "HTTPS_PROXY"].map((name) => [
        name,
        "x",
      ]),
    );
    expect(Object.keys(dockerEnvironment(env)).sort()).toEqual([
      "AWS_PROFILE",
      "DOCKER_CONFIG",
      "HTTPS_PROXY",
      "PATH",
      "SSH_AUTH_SOCK",
    ]);
  });
});

test("an entry of the lock without an owner is nobody's, and nobody acquires it", async () => {
  const cluster = new SimulatedCluster(new Simulation(), 1);
  cluster.exceptions.set(/^GET .*replacing/, { status: 200, body: '[{"Value":null,"ModifyIndex":7}]' });
  expect(await cluster.simulation.until(acquireLock(cluster.api("s1"), { owner: "s1" }))).toMatchObject({ owner: "" });
});

test("a container that is not reached ends a check: its answer is not taken for none", async () => {
  const unreached = { send: () => Promise.reject(new ContainerUnreachable("no such container")) };
  await expect(acquireLock(unreached, { owner: "s1" })).rejects.toThrow("no such container");
});

test("autopilot's answer without servers is unknown", async () => {
  const cluster = new SimulatedCluster(new Simulation(), 1);
  for (const body of ['{"Servers":null}', "half an ans"]) {
    cluster.exceptions.set(/autopilot/, { status: 429, body });
    expect(await cluster.simulation.until(serverHealth(cluster.api("s1")))).toBeUndefined();
  }
});

describe("stages of security", () => {
  const incompatible = (stage: (typeof STAGES)[number], announced: string | null) => {
    const cluster = new SimulatedCluster(new Simulation(), 1);
    cluster.server("s1").stage = announced;
    return cluster.simulation.until(incompatibleMembers(cluster.api("s1"), stage));
  };

  test.each([
    ["off", ["off"]],
    ["permissive", ["off", "permissive", "outgoing"]],
    ["outgoing", ["permissive", "outgoing", "strict"]],
    ["strict", ["outgoing", "strict"]],
  ] as const)("an agent at %s can talk to one at %j", async (stage, others) => {
    for (const other of STAGES) {
      const fits = (others as readonly string[]).includes(other);
      expect(await incompatible(stage, STAGE_ON_THE_WIRE[other])).toEqual(fits ? [] : [`s1 (${other})`]);
    }
  });

  test("an agent that has not registered yet is no obstacle; one that announces what nobody knows is", async () => {
    expect([await incompatible("strict", null), await incompatible("strict", "new")]).toEqual([[], ["s1 (new)"]]);
  });

  test("a member that is not alive, and one without an entry, are no obstacles", async () => {
    const cluster = new SimulatedCluster(new Simulation(), 2);
    Object.assign(cluster.server("s1"), { stage: "off", status: "failed" });
    cluster.exceptions.set(/catalog.nodes/, { status: 200, body: '[{"Node":"s1","Meta":null}]' });
    expect(await cluster.simulation.until(incompatibleMembers(cluster.api("s2"), "strict"))).toEqual([]);
  });

  test("several members that are too far are in the order of their names", async () => {
    const cluster = new SimulatedCluster(new Simulation(), 3);
    for (const server of cluster.servers) server.stage = "off";
    cluster.servers.reverse();
    const found = await cluster.simulation.until(incompatibleMembers(cluster.api("s2"), "strict"));
    expect(found).toEqual(["s1 (off)", "s2 (off)", "s3 (off)"]);
  });
});
