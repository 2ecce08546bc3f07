import { type StateEntry, withEntries } from "../../../ops/terraform/recorded-state";
import { parseState } from "../../../ops/terraform/state";

const PROVIDER = 'provider["registry.terraform.io/kreuzwerker/docker"].s1_host';
const entry = (name: string, id: string): StateEntry => ({
  type: "docker_container",
  name,
  provider: PROVIDER,
  schemaVersion: 2,
  attributes: { id },
});
const instance = (id: string, deposed?: string) => ({ schema_version: 2, deposed, attributes: { id } });
const resource = (type: string, name: string, instances: readonly object[], more = {}) => ({
  ...more,
  mode: "managed",
  type,
  name,
  provider: PROVIDER,
  instances,
});
const STATE = {
  version: 4,
  serial: 7,
  lineage: "l",
  outputs: { s1: { value: 1 } },
  resources: [
    resource("docker_container", "s1", [instance("old"), instance("gone", "0a")]),
    resource("docker_container", "s1", [instance("in a module")], { module: "module.m" }),
    resource("docker_image", "s1", [instance("image")]),
  ],
};

test("entries replace those of their addresses, and everything else stays", () => {
  const text = withEntries(JSON.stringify(STATE), [entry("s1", "new"), entry("s2", "2")]);
  const { identity, outputs, resources } = parseState(text);
  expect(identity).toEqual({ lineage: "l", serial: 8 });
  expect(outputs).toEqual({ s1: 1 });
  expect(
    resources.map(({ address, provider, deposed, attributes }) => [address, provider, deposed, attributes.id]),
  ).toEqual([
    ["module.m.docker_container.s1", "s1_host", false, "in a module"],
    ["docker_image.s1", "s1_host", false, "image"],
    ["docker_container.s1", "s1_host", false, "new"],
    ["docker_container.s1", "s1_host", true, "gone"],
    ["docker_container.s2", "s1_host", false, "2"],
  ]);
});
