import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder } from "../../cluster-files";
import { ContainerScript } from "../container-script";

let volume: ContainerScript;
beforeEach(() => {
  volume = new ContainerScript("adoption/data-volume.sh", ["/volume"]).program("chown", "exit 0");
  mkdirSync(join(volume.root, "volume/lost+found"));
});
const run = (task: string, input?: Buffer) => volume.run({ args: [task], input });
const content = () => readdirSync(join(volume.root, "volume")).sort();
const inspected = () => run("inspect").stdout.trim();

/** An archive, as `docker cp` makes it. */
function archive(files: Readonly<Record<string, string>>): Buffer {
  const root = folder();
  mkdirSync(join(root, "raft"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  return spawnSync("tar", ["-c", "-f", "-", "-C", root, "."]).stdout;
}
const DATA = archive({ "node-id": "7e5", "raft/raft.db": "entries", ".hidden": "too" });

test("a volume with nothing but lost+found has no data", () => expect(inspected()).toBe(""));

test("a copy has data when it is complete, and belongs to Consul's user", () => {
  volume.write("/volume/older", "data");
  expect(run("begin").status).toBe(0);
  expect([content(), inspected()]).toEqual([[".unfinished-copy", "lost+found"], ""]);
  expect(run("fill", DATA).status).toBe(0);
  expect([content(), inspected()]).toEqual([[".hidden", "lost+found", "node-id", "raft"], "data"]);
  expect(volume.read("/volume/raft/raft.db")).toBe("entries");
  expect(volume.calls()).toEqual(["chown -R consul:consul /volume/.unfinished-copy", "chown consul:consul /volume"]);
});

test.each([
  ["is cut off", DATA.subarray(0, 1536)],
  ["is no agent's data", archive({ other: "file" })],
])("a copy that %s does not count, and can be made again", (_, input) => {
  run("begin");
  expect(run("fill", input).status).not.toBe(0);
  expect([content(), inspected()]).toEqual([[".unfinished-copy", "lost+found"], ""]);
  run("begin");
  expect([run("fill", DATA).status, inspected()]).toEqual([0, "data"]);
});

test("data is packed whole, and does not count after it was copied back", () => {
  run("begin");
  run("fill", DATA);
  const { stdout } = volume.runForBytes({ args: ["pack"] });
  const unpacked = folder();
  spawnSync("tar", ["-x", "-f", "-", "-C", unpacked], { input: stdout });
  expect(existsSync(join(unpacked, "raft/raft.db"))).toBe(true);
  run("invalidate");
  expect(inspected()).toBe("");
});
