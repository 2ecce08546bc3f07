import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULTS } from "../../../cluster/resolve/defaults";
import { PROJECT } from "../../cluster-files";
import { repositoryFiles } from "../../repository-files";

const sources = repositoryFiles()
  .filter((file) => /^(cluster|constructs|consul|ops)\/.*\.ts$/.test(file))
  .map((file) => ({ file, text: withoutComments(readFileSync(join(PROJECT, file), "utf8")) }));

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(?<=^\s*)\/\/.*$/gm, "");
}

const filesWith = (pattern: string | RegExp): string[] =>
  sources.filter(({ text }) => text.search(pattern) >= 0).map(({ file }) => file);

test.each([
  ["image", DEFAULTS.image],
  ["registrator's image", DEFAULTS.registrator.image],
  ["subnet", DEFAULTS.subnet],
  ["folder of certificates", `"${DEFAULTS.daemonCerts}"`],
  ["socket", DEFAULTS.daemonSocket],
  ["logging", '"max-size": "'],
  ["datacenter", `"${DEFAULTS.datacenter}"`],
])("the default %s stands in one file", (_, value) => {
  expect(sources.length).toBeGreaterThan(100);
  expect(filesWith(value)).toEqual(["cluster/resolve/defaults.ts"]);
});

// An agent's ports and addresses are resolved once. What constructs and commands get has them.
test.each([
  ["ports", /\beffectivePorts\(/, ["cluster/resolve/agents.ts", "cluster/resolve/joins.ts", "consul/ports.ts"]],
  ["addresses", /\bendpointsOf\(/, ["cluster/resolve/agents.ts", "consul/endpoints.ts"]],
])("only the resolver works out %s", (_, call, files) => expect(filesWith(call)).toEqual(files));

test("constructs and commands have no default for a setting", () => {
  const fallback = /\.(image|ui|restart|ready_timeout|readyTimeout|client_addr|log|ports|publish|every|keep)\s*\?\?/;
  const users = filesWith(fallback).filter((file) => /^(constructs|ops)\//.test(file));
  expect(users).toEqual([]);
});
