import { leaveOut } from "../../../ops/deploy/exclusions";
import { around } from "../../../ops/deploy/skipped";
import { FOUR_HOSTS, load } from "../../cluster-files";
import { stackOf, stacksOf } from "../../synthesized";

describe("a host left out of its stack", () => {
  const json = stackOf({ stacks: stacksOf(load(`${FOUR_HOSTS}images: [x]\n`)) }, "c");
  const leave = (...hosts: string[]) => leaveOut(json, { outputs: {}, resources: [] }, hosts);
  const all = ["c1", "s1", "s2", "s3"];
  const of = (agents: readonly string[]) => [
    ...agents.map((agent) => `docker_container.${agent}`),
    ...agents.flatMap((agent) => [`docker_image.${agent}`, `docker_image.${agent}_x`]),
  ];
  const stepsOf = (agents: readonly string[]) =>
    agents.flatMap((agent) => [`terraform_data.${agent}`, `terraform_data.${agent}_services`]);

  test("of a client: its container, images and steps stay away, all else goes on", () => {
    const servers = ["s1", "s2", "s3"];
    expect(leave("c1").targets).toEqual(
      [
        ...of(servers),
        ...["autopilot", "definitions", "quorum"].map((step) => `terraform_data.consul_${step}`),
        ...stepsOf(servers),
      ].sort(),
    );
  });
  test("of a server: the last step of the servers stays away too, and what comes after it does not wait for it", () => {
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
  test("with registrator: that and the step that gives it its token stay away too, and the others' go on", () => {
    const registering = `${FOUR_HOSTS.replace("security: off", "security: on")}registrator: on\n`;
    const { targets } = leaveOut(
      stackOf({ stacks: stacksOf(load(registering)) }, "c"),
      { outputs: {}, resources: [] },
      ["c1"],
    );
    const types = ["docker_container", "docker_image", "terraform_data"];
    expect(targets.filter((address) => address.endsWith("_registrator"))).toEqual(
      types.flatMap((type) => ["s1", "s2", "s3"].map((host) => `${type}.${host}_registrator`)),
    );
  });
  test("none: all goes on, unchanged", () => {
    const { targets, json: cut } = leave();
    expect(targets).toHaveLength(4 * 5 + 3);
    expect(cut).toEqual(json);
  });
  test("what is to be removed elsewhere is removed, what is to be removed there is not", () => {
    const gone = (type: string, name: string, provider?: string) => ({
      ...{ address: `${type}.${name}`, mode: "managed" as const, type, name, provider },
      ...{ tainted: false, deposed: false, attributes: {} },
    });
    const resources = [
      ...[gone("docker_container", "old2", "s2_host"), gone("terraform_data", "old2")],
      ...[gone("docker_container", "old1", "s1_host"), gone("terraform_data", "old1")],
    ];
    const { targets } = leaveOut(json, { outputs: {}, resources }, ["s2"]);
    expect(targets.filter((address) => address.includes("old"))).toEqual([
      "docker_container.old1",
      "terraform_data.old1",
    ]);
  });
});

describe("hosts that do not answer", () => {
  const cluster = load(FOUR_HOSTS.replace("c1: 10.0.0.4", "c1: { address: 10.0.0.4, group: edge }"));
  const look = (dead: string[], without: string[] = []) => around(cluster, ["c", "c-edge"], new Set(dead), without);

  test("alone in their stack: it is left alone, and they are missed", () =>
    expect(look(["c1"])).toEqual({
      stacks: new Map([["c-edge", ["c1"]]]),
      hosts: new Map(),
      blocked: new Map(),
      missed: ["c1"],
    }));
  test("beside others: they hold them up until they are left out on demand", () => {
    expect(look(["s1"])).toMatchObject({ blocked: new Map([["c", ["s1"]]]), missed: [] });
    expect(look(["s1", "s2"], ["s1"])).toMatchObject({ blocked: new Map([["c", ["s2"]]]), hosts: new Map() });
    expect(look(["s1"], ["s1"])).toEqual({
      stacks: new Map(),
      hosts: new Map([["c", ["s1"]]]),
      blocked: new Map(),
      missed: [],
    });
  });
  test("left out on demand, all of a stack: it is left alone, and nobody is missed", () =>
    expect(look([], ["c1"])).toEqual({
      stacks: new Map([["c-edge", ["c1"]]]),
      hosts: new Map(),
      blocked: new Map(),
      missed: [],
    }));
});
