import { effectOf } from "../../docs/key-effects";
import { KEY_SECTIONS, type KeyExample } from "../../docs/key-examples";

function effect(section: string, key: string, example = KEY_SECTIONS[section]?.examples[key]): string {
  const of = KEY_SECTIONS[section];
  if (!of || !example) throw new Error(`no example of ${key}`);
  return effectOf(key, of, example);
}

test.each([
  ["The cluster", "max_parallel_clients", "nothing"],
  ["The cluster", "kv", "applied"],
  ["The cluster", "bootstrap_expect", "replaces the servers"],
  ["The cluster", "clients", "creates the agent"],
  ["Settings of agents", "image", "replaces all agents"],
  ["Settings of agents", "restart", "changes the containers in place"],
  ["Settings of agents", "ready_timeout", "nothing"],
  ["servers[], clients[]", "node", "replaces the agent"],
  ["servers[], clients[]", "data", "replaces the agent; **other data**"],
  ["resources", "cpus", "replaces all agents"],
  ["resources", "memory", "changes the containers in place"],
  ["services[]", "tags", "reload"],
  ["backups", "keep", "replaces the containers of backups"],
])("a change of %s, %s: %s", (section, key, expected) => expect(effect(section, key)).toBe(expected));

test("an example has to be a valid part of a cluster file, also where its effect is written by hand", () => {
  const wrong: KeyExample = { value: "dc 1", effect: "another cluster" };
  expect(() => effect("The cluster", "datacenter", wrong)).toThrow("datacenter");
});
