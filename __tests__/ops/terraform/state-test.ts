import { parseState } from "../../../ops/terraform/state";

/** As `terraform state pull` prints it, with what does not matter here left out. */
const STATE = {
  version: 4,
  terraform_version: "1.11.4",
  serial: 12,
  outputs: { consul_stacks: { value: ["c", "c-edge"], type: ["tuple", ["string", "string"]] } },
  resources: [
    {
      mode: "managed",
      type: "docker_container",
      name: "s1",
      provider: 'provider["registry.terraform.io/kreuzwerker/docker"].s1_host',
      instances: [{ schema_version: 2, attributes: { id: "1f", command: ["agent", "-server"] } }],
    },
    {
      mode: "managed",
      type: "docker_container",
      name: "s2",
      provider: 'provider["registry.opentofu.org/kreuzwerker/docker"].s2_host',
      instances: [
        { index_key: 0, status: "tainted", attributes: { id: "2f" } },
        { index_key: 0, deposed: "00000001", attributes: { id: "3f" } },
      ],
    },
    {
      mode: "managed",
      type: "terraform_data",
      name: "s1",
      provider: 'provider["terraform.io/builtin/terraform"]',
      instances: [{ attributes: {} }],
    },
    {
      mode: "data",
      type: "docker_image",
      name: "x",
      provider: 'provider["registry.terraform.io/kreuzwerker/docker"]',
      instances: [{ attributes: {} }],
    },
  ],
};

describe("a stack's state", () => {
  const { outputs, resources } = parseState(JSON.stringify(STATE));

  test("of a stack that was never deployed is empty", () =>
    expect(parseState("\n")).toEqual({ outputs: {}, resources: [] }));
  test("has outputs by name", () => expect(outputs).toEqual({ consul_stacks: ["c", "c-edge"] }));
  test("has resources by the address that Terraform writes", () => {
    expect(resources.map(({ address }) => address)).toEqual([
      "docker_container.s1",
      "docker_container.s2[0]",
      "docker_container.s2[0]",
      "terraform_data.s1",
      "data.docker_image.x",
    ]);
  });
  test("says on which host a resource is, by its provider's alias, with Terraform and OpenTofu", () =>
    expect(resources.map(({ provider }) => provider)).toEqual(["s1_host", "s2_host", "s2_host", undefined, undefined]));
  test("says what is tainted, and what is left of something replaced", () => {
    expect(resources.map(({ tainted }) => tainted)).toEqual([false, true, false, false, false]);
    expect(resources.map(({ deposed }) => deposed)).toEqual([false, false, true, false, false]);
  });
  test("of another format is refused", () =>
    expect(() => parseState('{"version": 5}')).toThrow("the Terraform state has format 5, and this program knows 4"));
});
