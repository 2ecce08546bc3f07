import { portReference } from "../../docs/port-reference";

const [, FIREWALL = ""] = portReference().split("## What a firewall has to pass");

test.each([
  ["8301, TCP and UDP", "always"],
  ["8300, TCP", "always"],
  ["8302, TCP and UDP", "with [federation]"],
  ["8300, TCP", "with [federation]"],
  ["8503, TCP", "with [peering]"],
  ["8501, TCP", "with security"],
  ["8500, TCP", "with `security: off`"],
  ["8600, TCP and UDP", "only where you need [DNS]"],
])("a firewall passes %s %s", (port, when) =>
  expect(FIREWALL.split("\n").filter((line) => line.includes(`| ${port} | ${when}`))).toHaveLength(1),
);
