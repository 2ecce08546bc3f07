import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { graphOf } from "../../../ops/diagram/graph";
import { mermaid } from "../../../ops/diagram/mermaid";
import { svg } from "../../../ops/diagram/svg";
import { folder, PROJECT } from "../../cluster-files";
import { clusterOf } from "../diagram/clusters";

const RACKS = "e2e/clusters/racks.yaml";
const program = ["--require", "./typescript.cjs", "ops/commands/diagram.ts"];
const options = { cwd: PROJECT, env: { ...process.env, CLUSTER: RACKS }, encoding: "utf8" } as const;
const diagram = (...args: string[]): string =>
  execFileSync("node", [...program, ...args], { ...options, stdio: "pipe" });
const refused = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync("node", [...program, ...args], options);
  return { status, stdout, stderr: stderr.trim() };
};
const graph = graphOf(clusterOf(RACKS));

test("standard output is the picture, and nothing else", () => {
  expect(diagram()).toBe(svg(graph));
  expect(diagram("--format", "mermaid")).toBe(mermaid(graph));
});

test("--json is what pictures are made from", () =>
  expect(JSON.parse(diagram("--json"))).toEqual({ file: RACKS, ...graph }));

test("--output replaces a file as a whole, and leaves nothing beside it", () => {
  const inside = folder();
  const file = join(inside, "cluster.svg");
  writeFileSync(file, "what was there");
  expect(diagram("--output", file)).toBe("");
  expect([readFileSync(file, "utf8"), readdirSync(inside)]).toEqual([svg(graph), ["cluster.svg"]]);
});

test.each(["link", "folder"])("--output does not replace a %s", (name) => {
  const inside = folder();
  mkdirSync(join(inside, "folder"));
  symlinkSync("elsewhere", join(inside, "link"));
  const file = join(inside, name);
  expect(refused("--output", file)).toEqual({
    status: 1,
    stdout: "",
    stderr: `diagram: --output ${file} is no regular file: leave it out, and redirect`,
  });
  expect(readdirSync(inside).sort()).toEqual(["folder", "link"]);
});

test.each([
  [["--format", "png"], '--format takes svg or mermaid, not "png"'],
  [["--json", "--format", "svg"], "--json writes the graph itself: leave --format out"],
  [["--output", "/nowhere/cluster.svg"], "--output /nowhere/cluster.svg: ENOENT"],
  [["--color"], "there is no option --color"],
])("%j is refused", (args, reason) => {
  const { status, stdout, stderr } = refused(...args);
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(`diagram: ${reason}`);
});
