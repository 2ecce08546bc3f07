import type { PlannedStack } from "../../../ops/deploy/planned-stacks";
import { applyLine } from "../../../ops/terraform/apply-lines";
import { PLANNED, Watched } from "./recorded-deploys";

const REPLACED = ["waiting", "stopping", "stopped", "starting", "ready"];

test("an agent that is replaced waits for its check, is stopped, started, and ready", () => {
  const watched = new Watched().replay("rolling");
  for (const agent of ["consul-server1", "consul-server2", "consul-server3", "consul-client1"])
    expect([agent, watched.phases(agent)]).toEqual([agent, REPLACED]);
  const { progress } = watched;
  expect([progress.done, progress.total]).toEqual([26, 26]);
  expect([progress.failures, progress.untouched, progress.unfinished, progress.stepLines]).toEqual([[], [], [], []]);
  expect(progress.agents.map(({ detail }) => detail)).toEqual([
    "ready, leader 172.16.8.120:8300",
    "ready, a voter, leader 172.16.8.122:8300",
    "ready, a voter, leader 172.16.8.120:8300",
    "ready, a voter, leader 172.16.8.120:8300",
  ]);
});

test("an agent that waits tells for whom, and since when", () => {
  const { progress } = new Watched().replay("rolling", "consul-server1: waiting: consul-server2");
  expect(progress.agents.find(({ agent }) => agent === "consul-server1")).toEqual({
    agent: "consul-server1",
    stack: "consul",
    phase: "waiting",
    detail: "waiting: consul-server2 is being replaced, or leaves",
    since: Date.parse("2026-11-29T11:15:50.360Z"),
  });
  expect(progress.untouched).toEqual(["consul-client1", "consul-server1", "consul-server3"]);
  expect(progress.unfinished).toEqual(["consul-server2"]);
});

test("steps of the cluster are no agent's: what they log is told while they run", () => {
  const watched = new Watched().replay("rolling", "voters: consul-server1");
  expect(watched.progress.stepLines).toEqual(["voters: consul-server1 consul-server2 consul-server3"]);
  expect(watched.events).toContainEqual({
    event: "step",
    stack: "consul",
    address: "terraform_data.consul_quorum",
    line: "voters: consul-server1 consul-server2 consul-server3",
  });
});

test("a failure has a reason for each agent, and a readiness check's has the end of the agent's log", () => {
  const { progress } = new Watched().replay("failing");
  const reasons = Object.fromEntries(progress.failures.map(({ subject, reason }) => [subject, reason]));
  expect(Object.keys(reasons).sort()).toEqual(["consul-client1", "consul-server1", "consul-server2", "consul-server3"]);
  expect(reasons["consul-server2"]).toMatch(
    /^is not ready after 10 s: [^\n]+\n.*error parsing flags: flag provided but not defined: -nonsense/,
  );
  expect(reasons["consul-server3"]).toMatch(
    /^not stopped: waiting: consul-server2 is being replaced, or leaves; hint: [^\n]+$/,
  );
  expect(progress.unfinished).toEqual(["consul-server2"]);
  expect(progress.untouched).toEqual([]);
});

describe("what is no agent's replacement", () => {
  const change = (type: string, name: string, action: "create" | "remove" | "change in place") =>
    ({ address: `${type}.${name}`, type, name, action, reasons: [] }) as const;
  const watch = (...changes: Extract<PlannedStack, { changes: unknown }>["changes"]) =>
    new Watched([{ ...(PLANNED as Extract<PlannedStack, { changes: unknown }>), changes }]);
  const line = (type: string, address: string, more: object = {}) => {
    const [resource_type, resource_name] = address.split(".");
    const hook = { resource: { addr: address, resource_type, resource_name }, ...more };
    return applyLine(JSON.stringify({ "@message": type, type, hook }));
  };
  const diagnostic = (summary: string, address?: string) =>
    applyLine(
      JSON.stringify({
        "@message": "Error",
        type: "diagnostic",
        diagnostic: { severity: "error", summary, detail: "", address },
      }),
    );

  test("an agent that is removed ends as such", () => {
    const watched = watch(change("docker_container", "s1", "remove"));
    watched.progress.take("consul", line("apply_complete", "docker_container.s1", { action: "delete" }));
    expect(watched.phases("s1")).toEqual(["removed"]);
    expect(watched.progress.done).toBe(1);
  });

  test("a container without a readiness check is ready when it is there", () => {
    const watched = watch(change("docker_container", "own", "change in place"));
    watched.progress.take("consul", line("apply_start", "docker_container.own", { action: "update" }));
    watched.progress.take("consul", line("apply_complete", "docker_container.own", { action: "update" }));
    expect(watched.phases("own")).toEqual(["starting", "ready"]);
  });

  test("the provider's error is the reason of its agent's failure, whatever its check has allowed", () => {
    const { progress } = watch(change("docker_container", "s1", "remove"));
    progress.take(
      "consul",
      line("provision_progress", "docker_container.s1", { output: "s1: stop allowed: it is failed" }),
    );
    progress.take("consul", line("provision_complete", "docker_container.s1"));
    progress.take("consul", line("apply_errored", "docker_container.s1", { action: "delete" }));
    progress.take("consul", diagnostic("Unable to remove container", "docker_container.s1"));
    expect(progress.failures).toEqual([{ stack: "consul", subject: "s1", reason: "Unable to remove container" }]);
    expect(progress.unfinished).toEqual(["s1"]);
  });

  test("a failure of an agent's other resource is the agent's", () => {
    const { progress } = watch(change("docker_container", "s1", "create"));
    progress.take("consul", line("provision_progress", "terraform_data.s1_services", { output: "s1: rejected" }));
    progress.take("consul", line("provision_errored", "terraform_data.s1_services"));
    expect(progress.failures).toEqual([{ stack: "consul", subject: "s1", reason: "s1: rejected" }]);
  });

  test("a failure that is no agent's has its address, and one of the stack none", () => {
    const { progress } = watch();
    progress.take("consul", line("provision_errored", "terraform_data.consul_acl"));
    progress.take("consul", diagnostic("no token", "terraform_data.consul_acl"));
    progress.take("consul", diagnostic("Saved plan is stale"));
    expect(progress.failures).toEqual([
      { stack: "consul", subject: "terraform_data.consul_acl", reason: "no token" },
      { stack: "consul", reason: "Saved plan is stale" },
    ]);
  });
});
