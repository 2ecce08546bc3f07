import { Comparison } from "./comparison";
import { type Json, readStack } from "./expected";

const NOTHING_RENAMED = { locals: {}, variables: {} };
const GATE = "# asking.sh\necho gate\n";
const ASK = "# docker.sh\necho ask\n";

/** A stack as it may be synthesized today: each script is some text. */
function today(stack: Json): Json {
  return JSON.parse(JSON.stringify(stack).replace(/<script ([\w.-]+)>/g, "# $1\\nit has new lines\\n"));
}

/** A stack of five servers, in which one thing is put in another's place. */
function changed(from: string, to: string): string[] {
  const stack = readStack("five", "five");
  const text = JSON.stringify(today(stack));
  expect(text).toContain(from);
  return new Comparison(NOTHING_RENAMED).differences("five: five", stack, JSON.parse(text.replace(from, to)));
}

test("scripts of any text are none", () => {
  const stack = readStack("five", "five");
  expect(new Comparison(NOTHING_RENAMED).differences("five: five", stack, today(stack))).toEqual([]);
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
  test("a word of a provisioner's environment", () => {
    expect(changed('"STOP_SECONDS":"120"', '"STOP_SECONDS":"121"')).toEqual([
      expect.stringMatching(/local-exec\.environment\.STOP_SECONDS: expected "120"\n {4}but got "121"$/),
    ]);
  });
  test("an argument beside a script in it", () => {
    expect(changed('"ASK_ARGUMENTS":"120 ', '"ASK_ARGUMENTS":"60 ')).toHaveLength(1);
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

describe("of scripts", () => {
  const expected = { a: "<script gate.sh>", b: "<script ask.sh>", c: "1 '<script gate.sh>'" };
  const differences = (actual: Json) => new Comparison(NOTHING_RENAMED).differences("x", expected, actual);

  test("only the text may be another", () => {
    expect(differences({ a: GATE, b: ASK, c: `1 '${GATE}'` })).toEqual([]);
  });
  test("one in another's place is found", () => {
    expect(differences({ a: GATE, b: GATE, c: `1 '${GATE}'` })).toEqual([
      "x.b: expected script ask.sh, but got gate.sh",
    ]);
  });
  test("two texts for one are found", () => {
    expect(differences({ a: GATE, b: ASK, c: `1 '${GATE}echo more\n'` })).toEqual([
      "x.c: script gate.sh is another text than at x.a",
    ]);
  });
  test("one that is none is found", () => {
    expect(differences({ a: "", b: "gate.sh", c: 1 })).toHaveLength(3);
  });
  test("what stands around one is compared", () => {
    expect(differences({ a: GATE, b: ASK, c: `2 '${GATE}'` })).toHaveLength(1);
  });
});

test("new names of locals and variables are taken for the old ones where they stand for them, and nowhere else", () => {
  const expected = {
    locals: { consul_gate: "<script gate.sh>" },
    "local-exec": {
      command: 'sh -c "$ASK"',
      environment: { ASK: "<script ask.sh>", ASK_SCRIPT: "${local.consul_gate}", ASK_SECONDS: "ASK" },
    },
    ASK: "consul_gate",
  };
  const actual = {
    locals: { consul_readiness: GATE },
    "local-exec": {
      command: 'sh -c "$STEP"',
      environment: { STEP: ASK, ASK_SCRIPT: "${local.consul_readiness}", ASK_SECONDS: "ASK" },
    },
    ASK: "consul_gate",
  };
  const renamed = { locals: { consul_gate: "consul_readiness" }, variables: { ASK: "STEP" } };
  expect(new Comparison(renamed).differences("x", expected, actual)).toEqual([]);
  expect(new Comparison(NOTHING_RENAMED).differences("x", expected, actual)).toHaveLength(6);
});
