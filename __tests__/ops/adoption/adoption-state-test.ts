import type { AgentDescription } from "../../../cluster/model";
import {
  type AgentAdoption,
  adoptionState,
  type FoundContainers,
  inOrder,
  problemsBetween,
} from "../../../ops/adoption/adoption-state";
import type { Container } from "../../../ops/docker/container";
import type { AgentProbe } from "../../../ops/inspect/probe";
import type { StateResource } from "../../../ops/terraform/state";
import { FOUR_HOSTS, load } from "../../cluster-files";
import { member } from "../../rollout/answers";

const { agents } = load(FOUR_HOSTS);
const agent = (name: string) => agents.find((each) => each.name === name) as AgentDescription;
/** A container of s1 that was started by hand, unless it has the product's labels. */
const container = (id: string, parts: Partial<Container["Config"]> = {}, health?: string) =>
  ({
    Id: id,
    State: { Running: true, Health: health === undefined ? undefined : { Status: health } },
    Config: { Cmd: ["agent", "-server", "-node=s1"], Entrypoint: null, Labels: null, ...parts },
    Mounts: [],
  }) as unknown as Container;
const labelled = (cluster: string, agent: string) => ({
  Labels: { "consul-cdktf.role": "server", "consul-cdktf.cluster": cluster, "consul-cdktf.agent": agent },
});
const resource = (type: string, parts: Partial<StateResource> = {}): StateResource => ({
  address: `${type}.s1`,
  mode: "managed",
  type,
  name: "s1",
  tainted: false,
  deposed: false,
  attributes: { id: "new" },
  ...parts,
});
const recorded = resource("docker_container");
const ready = resource("terraform_data");

describe("the adoption state of an agent", () => {
  const original = container("old");
  const current = container("new");

  test.each<[string, FoundContainers, StateResource[], string]>([
    ["no container", {}, [], "absent"],
    ["a container that was started by hand", { current: original, unmanaged: original }, [], "unmanaged"],
    ["one that was started by hand, under another name", { unmanaged: original }, [], "unmanaged"],
    ["another container in the Terraform state", { unmanaged: original }, [recorded], "unmanaged"],
    ["a renamed container, without a successor", { retired: original }, [], "in-progress"],
    ["a successor that no state has", { current, unmanaged: current, retired: original }, [], "in-progress"],
    [
      "a successor without a readiness check",
      { current, unmanaged: current, retired: original },
      [recorded],
      "in-progress",
    ],
    [
      "a successor whose readiness check failed",
      { current, unmanaged: current, retired: original },
      [recorded, resource("terraform_data", { tainted: true })],
      "in-progress",
    ],
    ["a ready successor", { current, unmanaged: current, retired: original }, [recorded, ready], "adopted"],
    ["a ready successor, whose original was removed", { current, unmanaged: current }, [recorded, ready], "adopted"],
    [
      "a deposed object in the Terraform state",
      { current, unmanaged: current },
      [resource("docker_container", { deposed: true })],
      "unmanaged",
    ],
  ])("with %s", (_, containers, resources, state) => {
    const { adoption } = adoptionState("c", agent("s1"), containers, resources);
    expect(adoption.state).toBe(state);
    expect(adoption.original).toBe(containers.retired ?? (state === "unmanaged" ? containers.unmanaged : undefined));
  });

  test("whether the Terraform state has a container for it is known in any case", () => {
    expect(adoptionState("c", agent("s1"), { unmanaged: original }, [recorded]).recorded).toBe(true);
    expect(adoptionState("c", agent("s1"), { unmanaged: original }, []).recorded).toBe(false);
    expect(adoptionState("c", agent("s2"), { unmanaged: original }, [recorded]).recorded).toBe(false);
  });
});

describe("an agent in Terraform's own container", () => {
  const own = container("own", labelled("c", "s1"));
  const of = (containers: FoundContainers, resources: StateResource[] = []) =>
    adoptionState("c", agent("s1"), containers, resources).adoption;
  const isOwn = (current: Container) => of({ current, unmanaged: current }).state === "unrecorded";

  test("is unrecorded if the Terraform state has none, or another one", () => {
    expect(of({ current: own, unmanaged: own })).toMatchObject({ state: "unrecorded", unrecorded: own });
    expect(of({ current: own, unmanaged: own }, [recorded, ready])).toMatchObject({ state: "unrecorded" });
    expect(of({ current: own, unmanaged: own }, [resource("docker_container", { attributes: { id: "own" } })])).toEqual(
      {
        agent: agent("s1"),
        state: "adopted",
      },
    );
  });

  test("is told by its labels, and one of 0.1.0 by its health check and node", () => {
    const unlabelled = { Healthcheck: { Test: ["CMD", "/bin/sh", "/consul/health.sh"] } };
    expect(isOwn(container("1", unlabelled))).toBe(true);
    expect(isOwn(container("1", { ...unlabelled, Cmd: ["agent", "-node=s2"] }))).toBe(false);
    expect(isOwn(container("1", labelled("other", "s1")))).toBe(false);
    expect(isOwn(container("1", labelled("c", "s2")))).toBe(false);
    expect(isOwn(container("1", { Labels: { "consul-cdktf.role": "registrator" } }))).toBe(false);
  });

  test("goes on beside the container that it was adopted from only if it is healthy", () => {
    const retired = container("old");
    const beside = (health: string) => {
      const current = container("own", labelled("c", "s1"), health);
      return of({ current, unmanaged: current, retired });
    };
    expect(beside("healthy")).toMatchObject({ state: "unrecorded", original: retired });
    expect(beside("starting")).toMatchObject({ state: "in-progress", original: retired });
  });
});

/** An unmanaged agent whose API answers. */
const running = (name: string, view: Partial<AgentProbe> = {}): AgentAdoption => ({
  agent: agent(name),
  state: "unmanaged",
  view: { leader: "10.0.0.1:8300", peers: ["10.0.0.1:8300"], members: [], ...view } as unknown as AgentProbe,
});

test("client agents are moved after servers, and the leader is the last server", () => {
  const order = inOrder([running("c1"), running("s1", { raft: "Leader" }), running("s2"), running("s3")]);
  expect(order.map(({ agent: { name } }) => name)).toEqual(["s2", "s3", "s1", "c1"]);
});

describe("problems between agents", () => {
  const found = (...adoptions: AgentAdoption[]) =>
    problemsBetween(adoptions).map(({ code, location }) => `${location.agent} ${code}`);
  const absent = (name: string): AgentAdoption => ({ agent: agent(name), state: "absent" });

  test("agents of one cluster have none, in whatever order their peers are listed", () => {
    const peers = ["10.0.0.1:8300", "10.0.0.2:8300"];
    expect(found(running("s1", { peers }), running("s2", { peers: [...peers].reverse() }))).toEqual([]);
  });
  test("a cluster without a leader", () =>
    expect(found(running("s1", { leader: "" }))).toEqual(["s1 adopt-no-leader"]));
  test("an agent with other Raft peers is in another cluster", () =>
    expect(found(running("s1"), running("c1", { peers: ["10.9.9.9:8300"] }))).toEqual(["c1 adopt-other-cluster"]));
  test("an agent without its container is running under another container's name, if it is an alive member", () => {
    expect(found(running("c1", { members: [member("s3")] }), absent("s3"))).toEqual(["s3 adopt-container-name"]);
    expect(found(running("c1", { members: [member("s3", { Status: 3 })] }), absent("s3"))).toEqual([]);
  });
});
