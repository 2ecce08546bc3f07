import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { takeClusterOption } from "../../../ops/command-line/cluster-option";
import { folder } from "../../cluster-files";
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

test("the next commands that messages name have it too", async () => {
  const cwd = folder();
  writeFileSync(
    join(cwd, "other.yaml"),
    "name: other\ndaemon: ssh://root@{address}\nhosts: { node1: 10.0.0.11 }\nservers: [node1]\n",
  );
  const secrets = (command: string) => run(["secrets", command, "--cluster", "other.yaml"], { cwd });
  expect((await secrets("check")).stdout).toContain("hint: npm run secrets -- --cluster other.yaml init;");
  expect((await secrets("init")).stderr).toBe("next: npm run deploy -- --cluster other.yaml\n");
  const { stderr } = await run(["status", "--cluster", "nothere.yaml"], { cwd });
  expect(stderr).toContain("hint: name a YAML file, with --cluster FILE or the variable CLUSTER");
});
