import { takeClusterOption } from "../../../ops/command-line/cluster-option";
import { run } from "../../command-line";

test.each([
  [["status", "--all"], ["status", "--all"], undefined],
  [["status", "--cluster", "a.yaml", "--all"], ["status", "--all"], "a.yaml"],
  [["--cluster=a.yaml", "deploy"], ["deploy"], "a.yaml"],
  [["deploy", "consul", "--cluster=a=b.yaml"], ["deploy", "consul"], "a=b.yaml"],
])("%j", (words, left, cluster) => {
  const env: NodeJS.ProcessEnv = {};
  expect(takeClusterOption(words, env)).toEqual(left);
  expect(env.CLUSTER).toBe(cluster);
});

test.each([[["--cluster"]], [["--cluster="]], [["--cluster", "--all"]]])(
  "without a file it is an error: %j",
  async (option) => {
    const { status, stderr } = await run(["status", ...option]);
    expect([status, stderr]).toEqual([1, "status: --cluster needs a cluster file: --cluster cluster.yaml\n"]);
  },
);

test("it is stronger than the variable", async () => {
  const { stderr } = await run(["status", "--cluster", "other.yaml"], { env: { CLUSTER: "clusters/none.yaml" } });
  expect(stderr).toContain("other.yaml:1:1: error file-unreadable");
});
