import { excludeHosts } from "../../../ops/deploy/exclude-hosts";
import { exclusionsOf } from "../../../ops/deploy/exclusions";
import { FOUR_HOSTS, load } from "../../cluster-files";
import { stackOf, stacksOf } from "../../synthesized";

describe("a host that is excluded from its stack", () => {
  const json = stackOf({ stacks: stacksOf(load(`${FOUR_HOSTS}images: [x]\n`)) }, "c");
  const leave = (...hosts: string[]) => excludeHosts(json, { outputs: {}, resources: [] }, hosts);
  const all = ["c1", "s1", "s2", "s3"];
  const of = (agents: readonly string[]) => [
    ...agents.map((agent) => `docker_container.${agent}`),
    ...agents.flatMap((agent) => [`docker_image.${agent}`, `docker_image.${agent}_x`]),
  ];
  const stepsOf = (agents: readonly string[]) =>
    agents.flatMap((agent) => [`terraform_data.${agent}`, `terraform_data.${agent}_services`]);

  test("with a client agent: its container, images and steps are excluded, everything else is deployed", () => {
    const servers = ["s1", "s2", "s3"];
    expect(leave("c1").targets).toEqual(
      [
        ...of(servers),
        ...["autopilot", "definitions", "quorum"].map((step) => `terraform_data.consul_${step}`),
        ...stepsOf(servers),
      ].sort(),
    );
  });
  test("with a server: the voters step is excluded too, and later steps do not wait for it", () => {
    const rest = all.filter((name) => name !== "s2");
    const { targets, json: cut } = leave("s2");
    expect(targets).toEqual(
      [
        ...of(rest),
        ...["autopilot", "definitions"].map((step) => `terraform_data.consul_${step}`),
        ...stepsOf(rest),
      ].sort(),
    );
    expect(json.resource.terraform_data.consul_autopilot?.depends_on).toEqual(["terraform_data.consul_quorum"]);
    expect(cut.resource?.terraform_data?.consul_autopilot?.depends_on).toEqual([]);
  });
  test("with registrator: its container and the step that delivers its token are excluded too, those of other hosts are not", () => {
    const registering = `${FOUR_HOSTS.replace("security: off", "security: on")}registrator: on\n`;
    const { targets } = excludeHosts(
      stackOf({ stacks: stacksOf(load(registering)) }, "c"),
      { outputs: {}, resources: [] },
      ["c1"],
    );
    const types = ["docker_container", "docker_image", "terraform_data"];
    expect(targets.filter((address) => address.endsWith("_registrator"))).toEqual(
      types.flatMap((type) => ["s1", "s2", "s3"].map((host) => `${type}.${host}_registrator`)),
    );
  });
  test("without excluded hosts, everything is deployed, unchanged", () => {
    const { targets, json: cut } = leave();
    expect(targets).toHaveLength(4 * 5 + 3);
    expect(cut).toEqual(json);
  });
  test("removed resources of other hosts are removed, those of the excluded host are not", () => {
    const gone = (type: string, name: string, provider?: string) => ({
      ...{ address: `${type}.${name}`, mode: "managed" as const, type, name, provider },
      ...{ tainted: false, deposed: false, attributes: {} },
    });
    const resources = [
      ...[gone("docker_container", "old2", "s2_host"), gone("terraform_data", "old2")],
      ...[gone("docker_container", "old1", "s1_host"), gone("terraform_data", "old1")],
    ];
    const { targets } = excludeHosts(json, { outputs: {}, resources }, ["s2"]);
    expect(targets.filter((address) => address.includes("old"))).toEqual([
      "docker_container.old1",
      "terraform_data.old1",
    ]);
  });
});

describe("unreachable hosts", () => {
  const cluster = load(FOUR_HOSTS.replace("c1: 10.0.0.4", "c1: { address: 10.0.0.4, group: edge }"));
  const exclusions = (unreachable: string[], without: string[] = []) =>
    exclusionsOf(cluster, ["c", "c-edge"], new Set(unreachable), without);

  test("all hosts of a stack: the stack is skipped, and they are reported", () =>
    expect(exclusions(["c1"])).toEqual({
      skippedStacks: new Map([["c-edge", ["c1"]]]),
      skippedHosts: new Map(),
      blockedStacks: new Map(),
      unreachableHosts: ["c1"],
    }));
  test("some hosts of a stack: the stack is blocked until they are excluded", () => {
    expect(exclusions(["s1"])).toMatchObject({ blockedStacks: new Map([["c", ["s1"]]]), unreachableHosts: [] });
    expect(exclusions(["s1", "s2"], ["s1"])).toMatchObject({
      blockedStacks: new Map([["c", ["s2"]]]),
      skippedHosts: new Map(),
    });
    expect(exclusions(["s1"], ["s1"])).toEqual({
      skippedStacks: new Map(),
      skippedHosts: new Map([["c", ["s1"]]]),
      blockedStacks: new Map(),
      unreachableHosts: [],
    });
  });
  test("all hosts of a stack, excluded: the stack is skipped, and no host is reported", () =>
    expect(exclusions([], ["c1"])).toEqual({
      skippedStacks: new Map([["c-edge", ["c1"]]]),
      skippedHosts: new Map(),
      blockedStacks: new Map(),
      unreachableHosts: [],
    }));
});
