import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { graphOf } from "../../../ops/diagram/graph";
import { mermaid } from "../../../ops/diagram/mermaid";
import { svg } from "../../../ops/diagram/svg";
import { folder } from "../../cluster-files";
import { run } from "../../command-line";
import { clusterOf } from "../diagram/clusters";

const RACKS = "e2e/clusters/racks.yaml";
const diagram = (...args: string[]) => run(["diagram", ...args], { env: { CLUSTER: RACKS } });
const picture = async (...args: string[]) => (await diagram(...args)).stdout;
const graph = graphOf(clusterOf(RACKS));

test("standard output is the picture, and nothing else", async () => {
  expect(await picture()).toBe(svg(graph));
  expect(await picture("--format", "mermaid")).toBe(mermaid(graph));
});

test("--json is what pictures are made from", async () =>
  expect(JSON.parse(await picture("--json"))).toEqual({ file: RACKS, ...graph }));

test("--output replaces a file as a whole, and leaves nothing beside it", async () => {
  const inside = folder();
  const file = join(inside, "cluster.svg");
  writeFileSync(file, "what was there");
  expect(await diagram("--output", file)).toEqual({ status: 0, stdout: "", stderr: `wrote ${file}\n` });
  expect([readFileSync(file, "utf8"), readdirSync(inside)]).toEqual([svg(graph), ["cluster.svg"]]);
});

test.each(["link", "folder"])("--output does not replace a %s", async (name) => {
  const inside = folder();
  mkdirSync(join(inside, "folder"));
  symlinkSync("elsewhere", join(inside, "link"));
  const file = join(inside, name);
  expect(await diagram("--output", file)).toEqual({
    status: 1,
    stdout: "",
    stderr: `diagram: --output ${file} is not a regular file: omit --output, and redirect standard output\n`,
  });
  expect(readdirSync(inside).sort()).toEqual(["folder", "link"]);
});

test.each([
  [
    ["--format", "png"],
    "error: option '--format <FORMAT>' argument 'png' is invalid. Allowed choices are svg, mermaid.",
  ],
  [["--json", "--format", "svg"], "error: option '--json' cannot be used with option '--format <FORMAT>'"],
  [["--output", "/nowhere/cluster.svg"], "diagram: --output /nowhere/cluster.svg: ENOENT"],
  [["--color"], "error: unknown option '--color'"],
])("%j is rejected", async (args, reason) => {
  const { status, stdout, stderr } = await diagram(...args);
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(reason);
});
