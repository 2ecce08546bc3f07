import { TerraformStack } from "cdktf";
import { RolloutStep, type RolloutStepProps } from "../../constructs/rollout-step";
import type { VotersRequest } from "../../rollout/request";
import { requestOf, stackOf, synthesize } from "../synthesized";

const VOTERS: VotersRequest = {
  step: "voters",
  nodes: ["s1", "s2"],
  servers: [
    { daemon: "ssh://root@10.0.0.2", container: "s2" },
    { daemon: "tcp://10.0.0.1:2376", certs: "~/.docker", container: "s1" },
  ],
  seconds: 9,
};

/** The resources of steps, each after the one before it. */
function resourcesOf(...steps: Partial<RolloutStepProps>[]) {
  const synthesized = synthesize((app) => {
    const stack = new TerraformStack(app, "t");
    const made: RolloutStep[] = [];
    for (const [index, props] of steps.entries()) {
      const step = new RolloutStep(stack, `step${index}`, {
        request: VOTERS,
        subject: "s1",
        triggers: ["x"],
        ...props,
      });
      step.resource.overrideLogicalId(`step${index}`);
      step.runAfter(made.slice(-1));
      made.push(step);
    }
  });
  const { terraform_data } = stackOf(synthesized, "t").resource;
  return terraform_data;
}

test("a step runs when it is created, and again when a trigger changes", () => {
  const { triggers_replace, provisioner } = resourcesOf({ triggers: ["a", "b"] }).step0 ?? {};
  expect(Object.values(triggers_replace ?? {})).toEqual(["a", "b"]);
  expect(provisioner?.map((each) => each["local-exec"].when)).toEqual([undefined]);
});

test("a step makes its request, with containers in the given order, each with its daemon", () =>
  expect(requestOf("voters", resourcesOf({}).step0)).toEqual(VOTERS));

test("a step tells Terraform's log what it does, and for whom", () =>
  expect(resourcesOf({ subject: "consul-server1" }).step0?.provisioner[0]?.["local-exec"].command).toBe(
    "voters consul-server1",
  ));

test("a step waits for those that it runs after, and for no other", () => {
  const { step0, step1, step2 } = resourcesOf({}, {}, {});
  expect([step0, step1, step2].map((step) => step?.depends_on)).toEqual([
    [],
    ["terraform_data.step0"],
    ["terraform_data.step1"],
  ]);
});

test("a plan fails if a step's precondition does not hold", () => {
  const { step0 } = resourcesOf({ precondition: { condition: '${fileexists("a")}', errorMessage: "a is missing" } });
  expect(step0).toMatchObject({
    lifecycle: { precondition: [{ condition: '${fileexists("a")}', error_message: "a is missing" }] },
  });
});
