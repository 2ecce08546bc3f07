import { applyLine } from "../../../ops/terraform/apply-lines";

const RESOURCE = { addr: "docker_container.s1", resource_type: "docker_container", resource_name: "s1" };
const resource = { address: "docker_container.s1", type: "docker_container", name: "s1" };
const line = (type: string, fields: object) => applyLine(JSON.stringify({ "@message": "told", type, ...fields }));

test.each([
  [
    "apply_start",
    { hook: { resource: RESOURCE, action: "delete" } },
    { kind: "operation", phase: "start", action: "delete", resource },
  ],
  [
    "apply_complete",
    { hook: { resource: RESOURCE, action: "create" } },
    { kind: "operation", phase: "complete", action: "create", resource },
  ],
  [
    "apply_errored",
    { hook: { resource: RESOURCE, action: "create" } },
    { kind: "operation", phase: "errored", action: "create", resource },
  ],
  [
    "provision_start",
    { hook: { resource: RESOURCE, provisioner: "local-exec" } },
    { kind: "provisioner", phase: "start", resource },
  ],
  [
    "provision_progress",
    { hook: { resource: RESOURCE, output: "s1: waiting" } },
    { kind: "output", line: "s1: waiting", resource },
  ],
  ["provision_progress", { hook: { resource: RESOURCE, output: 'Executing: ["node" "x"]' } }, { kind: "other" }],
  ["apply_progress", { hook: { resource: RESOURCE, action: "create" } }, { kind: "other" }],
  ["change_summary", { changes: { add: 1 } }, { kind: "other" }],
])("%s is read: %#", (type, fields, expected) => expect(line(type, fields)).toEqual({ text: "told", ...expected }));

test("an error has its text, and its resource", () => {
  const diagnostic = { severity: "error", summary: "no provider", detail: "install it", address: "docker_image.s1" };
  expect(line("diagnostic", { diagnostic })).toEqual({
    kind: "error",
    text: "no provider\ninstall it",
    address: "docker_image.s1",
  });
});

test("values of the configuration beside an error are not read", () => {
  const snippet = { code: "content = var.token", values: [{ traversal: "var.token", statement: 'is "hidden"' }] };
  const diagnostic = { severity: "error", summary: "bad", detail: "", snippet };
  expect(JSON.stringify(line("diagnostic", { diagnostic }))).not.toContain("hidden");
});

test("a warning is no error", () =>
  expect(line("diagnostic", { diagnostic: { severity: "warning", summary: "old", detail: "" } })).toEqual({
    kind: "other",
    text: "warning: old",
  }));

test.each(["", "Error: no such flag", "{ broken", "[]", "null", "1"])(
  "%j, which is in no format, is kept as it is",
  (text) => expect(applyLine(text)).toEqual({ kind: "other", text }),
);
