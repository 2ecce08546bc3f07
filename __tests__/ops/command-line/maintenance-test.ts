import { clusterFile } from "../../cluster-files";
import { run } from "../../command-line";

const CLUSTER = clusterFile(`name: shop
security: off
daemon: unix:///nowhere/{address}.sock
hosts: { h1: 10.0.0.1, h2: 10.0.0.2, h3: 10.0.0.3 }
servers: [{ name: s1, host: h1 }]
clients: [{ name: c1, host: h2 }]
`);
const maintain = (...words: string[]) => run(["maintain", ...words], { env: { CLUSTER } });
const upgrade = (...words: string[]) => run(["upgrade", ...words], { env: { CLUSTER } });

test.each([
  [["h1"], "--begin, --end or a COMMAND after -- is needed"],
  [["h1", "--begin", "--end"], "option '--end' cannot be used with option '--begin'"],
  [["h1", "--begin", "--", "true"], "a COMMAND cannot be used with --begin or --end"],
  [["h1", "--reboot"], "--begin, --end or a COMMAND after -- is needed"],
  [["h1", "--begin", "--reboot"], "option '--reboot' cannot be used with option '--begin'"],
  [["h1", "--end", "--wait", "soon"], "It must be a number of seconds."],
])("maintain %j is rejected before anything is asked", async (words, message) => {
  const { status, stderr } = await maintain(...words);
  expect([status, stderr]).toEqual([1, expect.stringContaining(message)]);
});

test("the host is one of the file's, and has an agent", async () => {
  expect((await maintain("h4", "--begin")).stderr).toMatch(
    /^maintain: the cluster has no host h4.*; there are h1, h2, h3/,
  );
  const { status, stderr } = await maintain("h3", "--begin");
  expect([status, stderr]).toEqual([1, "maintain: no agent of the cluster runs on h3: it can go down at any time\n"]);
});

test("the command of a user's keeps its options, whatever their names are here", async () => {
  const { stderr } = await run(["maintain", "h4", "--cluster", CLUSTER, "--", "aws", "--cluster", "other"]);
  expect(stderr).toMatch(/^maintain: the cluster has no host h4/);
});

test.each([
  [["latest"], "It must be a version such as 1.22.7."],
  [["1.22"], "It must be a version such as 1.22.7."],
  [["1.22.7@sha256:abc"], "It must be a version such as 1.22.7."],
  [[], "missing required argument 'VERSION'"],
])("upgrade %j is rejected before anything is asked", async (words, message) => {
  const { status, stderr } = await upgrade(...words);
  expect([status, stderr]).toEqual([1, expect.stringContaining(message)]);
});

test("an upgrade needs a terminal, or approval by its option", async () => {
  const { status, stderr } = await upgrade("1.30.1");
  expect([status, stderr]).toEqual([1, expect.stringContaining("there is no terminal to ask for approval at")]);
});
