import { fixable } from "../../../ops/fix/fixer";
import type { FixAction } from "../../../ops/inspect/health-problem";
import { healthProblem } from "../../../ops/inspect/health-problem";
import { FOUR_HOSTS, load } from "../../cluster-files";

const cluster = load(FOUR_HOSTS);
const problem = (agent: string, fix?: FixAction) =>
  healthProblem({ code: "container-stopped", host: agent, agent, message: "x", fix });
const order = (...problems: ReturnType<typeof problem>[]) =>
  fixable(cluster, problems).map(({ location, fix }) => `${location.agent} ${fix}`);

test("the Terraform state is fixed first, then agents are started, and those that must stop come last", () =>
  expect(
    order(
      problem("s1", "recreate"),
      problem("s2", "release-lock"),
      problem("s3", "start"),
      problem("s1", "restore-terraform-state"),
    ),
  ).toEqual(["s1 restore-terraform-state", "s3 start", "s2 release-lock", "s1 recreate"]));
test("of equal fixes, servers come before client agents", () =>
  expect(order(problem("c1", "recreate"), problem("s3", "recreate"))).toEqual(["s3 recreate", "c1 recreate"]));
test("a problem without a fix is left to the operator", () => expect(order(problem("s1"))).toEqual([]));
