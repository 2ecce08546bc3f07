import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InspectedAgent } from "../../../ops/inspect/findings";
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
const [file, before] = [join(folder, "c.tfstate"), join(folder, "c.tfstate.backup")];
/** A state that knows containers. */
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
/** What is there: the agent's container. */
const there = (id: string | undefined) => {
  const [agent] = cluster.agents;
  const agents = [{ agent, container: id === undefined ? undefined : { Id: id } }] as unknown as InspectedAgent[];
  return { findings: [], hosts: [], locks: [], agents };
};
const found = (id: string | undefined) =>
  lostStates(cluster, [{ name: "c", folder, dependencies: [], json: {} }], there(id));

beforeEach(() => {
  writeFileSync(file, "");
  writeFileSync(before, state("1"));
});

test("an empty state beside one that knows a container that is there is put back from it", async () => {
  const [lost] = await found("1");
  expect(lost?.finding).toMatchObject({
    agent: "s1",
    action: "put-state-back",
    hint: expect.stringContaining("cp c.tfstate.backup c.tfstate"),
  });
  lost?.putBack();
  expect(readFileSync(file, "utf8")).toBe(state("1"));
  expect(existsSync(`${file}.new`)).toBe(false);
  expect(await found("1")).toEqual([]);
});
test("the same where there is no file any more", async () => {
  rmSync(file);
  expect(await found("1")).toHaveLength(1);
});
test("a state that knows containers is left alone", async () => {
  writeFileSync(file, state("2"));
  expect(await found("1")).toEqual([]);
});
test.each([undefined, "2"])(
  "a state of before whose containers are gone (now %s), as after a destroy, is left alone",
  async (id) => {
    expect(await found(id)).toEqual([]);
  },
);
test("where there is none of before, there is nothing to put back", async () => {
  rmSync(before);
  expect(await found("1")).toEqual([]);
});
