import type { Container } from "../../../ops/docker/container";
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
});
