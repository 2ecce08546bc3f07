import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InspectedAgent } from "../../../ops/inspect/inspected-agent";
import { lostStates } from "../../../ops/inspect/lost-state";
import { load } from "../../cluster-files";

const folder = mkdtempSync(join(tmpdir(), "consul-cdktf-lost-"));
afterAll(() => rmSync(folder, { recursive: true }));

const cluster = load(`name: c
security: off
daemon: ssh://root@{address}
hosts: { s1: 10.0.0.1 }
servers: [s1]
backend: { local: { path: "${folder}/{stack}.tfstate" } }
`);
const file = join(folder, "c.tfstate");
const backup = join(folder, "c.tfstate.backup");
/** A Terraform state with containers. */
const state = (...ids: string[]) =>
  JSON.stringify({
    version: 4,
    resources: ids.map((id) => ({
      mode: "managed",
      type: "docker_container",
      name: "s1",
      instances: [{ attributes: { id } }],
    })),
  });
/** An inspection that found the agent's container. */
const inspection = (id: string | undefined) => {
  const [agent] = cluster.agents;
  const agents = [{ agent, container: id === undefined ? undefined : { Id: id } }] as unknown as InspectedAgent[];
  return { problems: [], hosts: [], locks: [], agents };
};
const found = (id: string | undefined) =>
  lostStates(cluster, [{ name: "c", folder, dependencies: [], json: {} }], inspection(id));

// An empty state file is read again for a second, because Terraform may be writing it. Here nobody writes it.
jest.spyOn(globalThis, "setTimeout").mockImplementation(((resume: () => void) => setImmediate(resume)) as never);

beforeEach(() => {
  writeFileSync(file, "");
  writeFileSync(backup, state("1"));
});

test("an empty state file beside a backup with a container that exists is restored from the backup", async () => {
  const [lost] = await found("1");
  expect(lost?.problem).toMatchObject({
    code: "terraform-state-lost",
    location: { agent: "s1" },
    fix: "restore-terraform-state",
    hint: expect.stringContaining(`cp ${backup} ${file}`),
  });
  lost?.restore();
  expect(readFileSync(file, "utf8")).toBe(state("1"));
  expect(existsSync(`${file}.new`)).toBe(false);
  expect(await found("1")).toEqual([]);
});
test("so is a missing state file", async () => {
  rmSync(file);
  expect(await found("1")).toHaveLength(1);
});
test("a state file with containers is not changed", async () => {
  writeFileSync(file, state("2"));
  expect(await found("1")).toEqual([]);
});
test.each([undefined, "2"])(
  "a backup whose containers are gone (now %s), as after a destroy, is not used",
  async (id) => {
    expect(await found(id)).toEqual([]);
  },
);
test("without a backup there is nothing to restore", async () => {
  rmSync(backup);
  expect(await found("1")).toEqual([]);
});
