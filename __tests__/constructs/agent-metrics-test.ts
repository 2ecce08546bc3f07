import { synthesizeOwn } from "../own-stack";
import { agentConfigOf, type ContainerJson, synthesizeText } from "../synthesized";

const FILE = `name: c
daemon: ssh://root@{address}
hosts: { s1: 10.0.0.1, c1: 10.0.0.4 }
servers: [s1]
clients: [c1]
`;
const METRICS = { disable_hostname: true, prometheus_retention_time: "2h" };
const containers = (text: string) => synthesizeText(text).stacks.c?.resource.docker_container ?? {};

test("metrics of a cluster file are keys of each agent's configuration, and no flag", () => {
  const on = containers(`${FILE}metrics: on\n`);
  const off = containers(FILE);
  for (const [name, address] of [
    ["s1", "10.0.0.1"],
    ["c1", "10.0.0.4"],
  ] as const) {
    const [before, after] = [off[name], on[name]] as [ContainerJson, ContainerJson];
    expect(agentConfigOf(after)).toEqual({
      ...agentConfigOf(before),
      telemetry: METRICS,
      addresses: { http: "127.0.0.1", https: `127.0.0.1 ${address}` },
    });
    expect([after.command, after.env]).toEqual([before.command, before.env]);
  }
});
test("an agent of a stack of one's own exports metrics by a property", () => {
  const { stacks } = synthesizeOwn((stack) => {
    stack.server(1, { metrics: true });
    stack.client(2);
  });
  const { s1, c2 } = (stacks.mine?.resource.docker_container ?? {}) as Record<string, ContainerJson>;
  expect([agentConfigOf(s1 as ContainerJson).telemetry, agentConfigOf(c2 as ContainerJson).telemetry]).toEqual([
    METRICS,
    undefined,
  ]);
});
test("the property is true or false", () =>
  expect(() => synthesizeOwn((stack) => stack.server(1, { metrics: "on" as unknown as boolean }))).toThrow("metrics"));
