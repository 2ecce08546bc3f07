import type { Container } from "../../../ops/docker/container";
import type { InspectedAgent } from "../../../ops/inspect/inspected-agent";
import { conclude, type HostInspection, orphanedContainers } from "../../../ops/inspect/inspection";
import { FOUR_HOSTS, load } from "../../cluster-files";

const cluster = load(FOUR_HOSTS);

describe("orphaned containers", () => {
  const container = (Name: string, { id = "1", node = "s1", ours = true } = {}) =>
    ({
      Id: id,
      Name: `/${Name}`,
      Config: {
        Cmd: ["agent", `-node=${node}`],
        Healthcheck: ours ? { Test: ["CMD", "/bin/sh", "/consul/health.sh"] } : undefined,
      },
    }) as unknown as Container;
  const names = (...containers: Container[]) =>
    orphanedContainers(cluster, containers, new Set(["recorded"])).map(({ Name }) => Name);

  test("one of an agent of the file, under a name that the file does not have", () =>
    expect(names(container("old-s1"))).toEqual(["/old-s1"]));
  test("not one that the Terraform state has", () =>
    expect(names(container("old-s1", { id: "recorded" }))).toEqual([]));
  test("not one with an agent's present name", () => expect(names(container("s1"))).toEqual([]));
  test("not one of another cluster, or of another product", () =>
    expect(names(container("other", { node: "x1" }), container("mine", { ours: false }))).toEqual([]));
});

describe("running containers with an empty Terraform state", () => {
  const host = (name: string) => cluster.hosts.find((each) => each.name === name) as (typeof cluster.hosts)[number];
  const agent = cluster.agents.find(({ name }) => name === "s1") as (typeof cluster.agents)[number];
  const stopped = {
    Id: "1",
    Name: "/s1",
    State: { Status: "exited", ExitCode: 0 },
    Config: { Healthcheck: { Test: ["CMD", "/bin/sh", "/consul/health.sh"] } },
    HostConfig: { RestartPolicy: { Name: "always" } },
    Mounts: [],
  } as unknown as Container;
  const found: HostInspection = {
    host: host("s1"),
    version: "28",
    orphaned: [],
    agents: [{ agent, container: stopped, view: "its container does not run" }],
  };

  test("are fixed by nothing, because it is the wrong state", () => {
    const [problem] = conclude(cluster, [found], { stateEmpty: true }).problems;
    expect(problem).toMatchObject({
      code: "container-unrecorded",
      message: "its container s1 is not in the Terraform state, which has no container at all",
      hint: expect.stringContaining("another folder"),
    });
    expect(problem?.fix).toBeUndefined();
  });
  test("are fixed when the state has other containers", () =>
    expect(conclude(cluster, [found], { stateEmpty: false }).problems[0]?.fix).toBe("recreate"));

  describe("of one stack", () => {
    const stacks = load(FOUR_HOSTS.replace(/c1: (\S+?)(,| )/, "c1: { address: $1, group: edge }$2"));
    const inspected = (name: string, recorded: boolean): HostInspection => {
      const one = stacks.agents.find((each) => each.name === name) as (typeof cluster.agents)[number];
      const container = { ...stopped, Name: `/${name}`, State: { Status: "running", Running: true } };
      const resource = recorded ? { type: "docker_container", name, attributes: { id: "1" } } : undefined;
      const view = { leader: "10.0.0.1:8300", id: name, servers: [{ ID: name, Voter: true }], members: [], peers: [] };
      const agents = [{ agent: one, container, resource, view, files: new Map() }] as unknown as InspectedAgent[];
      return { host: one.host, version: "28", orphaned: [], agents };
    };
    const unrecorded = (...hosts: HostInspection[]) =>
      conclude(stacks, hosts, { stateEmpty: false }).problems.filter(({ code }) => code === "container-unrecorded");

    test("are fixed by nothing, if they are ready: the state of the stack is lost", () => {
      expect(stacks.hosts.map(({ group }) => group)).toContain("edge");
      expect(unrecorded(inspected("s1", true), inspected("c1", false))).toEqual([
        expect.objectContaining({
          message: "its container c1 is not in the Terraform state of its stack, which has no container at all",
          hint: "if that state is lost: npm run adopt, which touches no container (docs/lost-state.md)",
          fix: undefined,
        }),
      ]);
    });
    test("are fixed, if the stack's state has another one", () =>
      expect(unrecorded(inspected("s1", true), inspected("s2", false))[0]?.fix).toBe("recreate"));
  });
});
