import { readStack } from "../../e2e/compatibility/expected";
import { differences } from "./comparison";

/** A stack of five servers, in which one thing is put in another's place. */
function changed(from: string, to: string): string[] {
  const stack = readStack("five", "five");
  const text = JSON.stringify(stack);
  expect(text).toContain(from);
  return differences("five: five", stack, JSON.parse(text.replace(from, to)));
}

test("a stack is like itself", () => {
  expect(changed("five", "five")).toEqual([]);
});

describe("what differs is found, with its place:", () => {
  test("a trigger", () => {
    expect(
      changed('"triggers_replace":["${docker_container.s3.id}"]', '"triggers_replace":["${docker_container.s3.name}"]'),
    ).toEqual([
      `five: five.resource.terraform_data.s3.triggers_replace[0]: expected "\${docker_container.s3.id}"
    but got "\${docker_container.s3.name}"`,
    ]);
  });
  test("an id", () => {
    expect(changed('"terraform_data":{"consul_autopilot":', '"terraform_data":{"consul_raft":')).toEqual([
      expect.stringMatching(/^five: five\.resource\.terraform_data\.consul_autopilot: missing: \{"\/\/"/),
      expect.stringMatching(/^five: five\.resource\.terraform_data\.consul_raft: not expected: \{"\/\/"/),
    ]);
  });
  test("a byte of an uploaded script", () => {
    expect(changed("hands leadership over before", "hands leadership over, before")).toEqual([
      expect.stringMatching(/s3\.upload\[2\]\.content: expected \.\.\..*over before .*\n {4}but got .*over, before /),
    ]);
  });
  test("a byte of an agent's configuration, which is uploaded", () => {
    expect(changed('retry_interval\\": \\"2s', 'retry_interval\\": \\"3s')).toEqual([
      expect.stringContaining("five: five.resource.docker_container.s3.upload[0].content: "),
    ]);
  });
  test("when a provisioner runs", () => {
    expect(changed('"when":"destroy"', '"when":"create"')).toEqual([
      expect.stringMatching(/local-exec\.when: expected "destroy"\n {4}but got "create"$/),
    ]);
  });
  test("a condition", () => {
    expect(changed('"keep_locally":true', '"keep_locally":false')).toHaveLength(1);
  });
  test("what it waits for", () => {
    expect(changed('"depends_on":["terraform_data.consul_quorum"]', '"depends_on":[]')).toEqual([
      expect.stringMatching(/\.depends_on\[0\]: missing: "terraform_data.consul_quorum"$/),
    ]);
  });
  test("an output", () => {
    expect(changed('"join":"10.1.9.3"', '"join":"10.1.0.3"')).toHaveLength(1);
  });
});

test("what a provisioner runs is not in Terraform's state, so it is not compared", () => {
  expect(changed('"STOP_SECONDS":"120"', '"STOP_SECONDS":"121"')).toEqual([]);
  expect(changed('"consul_gate":"<script gate.sh>"', '"consul_gate":"<script ask.sh>"')).toEqual([]);
  expect(changed('"consul_gate":"<script gate.sh>"', '"other":"10.0.0.1"')).not.toEqual([]);
});
