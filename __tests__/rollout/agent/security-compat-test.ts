import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../../cluster-files";

const STAGE = readFileSync(join(PROJECT, "rollout/agent/security-compat.sh"), "utf8");

/** Agents as Consul's API reports them: the stage of security, if any; and whether the agent is up and registered. */
type Agents = Readonly<Record<string, { stage?: string; up?: boolean; registered?: boolean }>>;

/** The output of incompatible_members, with stand-ins for the responses of Consul's API. */
function incompatibleMembers(stage: string, agents: Agents): string {
  const members = Object.entries(agents).map(([Name, { up = true }]) => ({ Name, Status: up ? 1 : 4 }));
  const nodes = Object.entries(agents).map(([Node, { stage: own, registered = true }]) => ({
    Node,
    Meta: registered ? { "consul-network-segment": "", ...(own && { "cdktf-security": own }) } : null,
  }));
  const stubs = `ask() { case $1 in */members) printf '%s' "$MEMBERS" ;; */nodes) printf '%s' "$NODES" ;; esac; }\nvalue() { jq -r "$@"; }`;
  const env = { PATH: process.env.PATH, MEMBERS: JSON.stringify(members.reverse()), NODES: JSON.stringify(nodes) };
  const { stdout, stderr } = spawnSync("sh", ["-c", `${stubs}\n${STAGE}\nincompatible_members ${stage}`], {
    encoding: "utf8",
    env,
  });
  expect(stderr).toBe("");
  return stdout.trim();
}

const all = (stage?: string): Agents => ({ s1: { stage }, s2: { stage }, c1: { stage } });

test.each([
  ["off", "off"],
  ["accept", "off"],
  ["use", "accept"],
  ["require", "use"],
  ["use", "require"],
  ["accept", "use"],
])("an agent at %s is compatible with those at %s", (next, present) =>
  expect(incompatibleMembers(next, all(present === "off" ? undefined : present))).toBe("none"),
);

test.each([
  ["use", "off"],
  ["require", "off"],
  ["require", "accept"],
  ["accept", "require"],
  ["off", "use"],
])("an agent at %s is incompatible with those at %s", (next, present) => {
  const stage = { off: "off", accept: "permissive", use: "outgoing", require: "strict" }[present];
  expect(incompatibleMembers(next, all(present === "off" ? undefined : present))).toBe(
    `c1 (${stage}), s1 (${stage}), s2 (${stage})`,
  );
});

test("off is incompatible with agents that have a gossip key", () =>
  expect(incompatibleMembers("off", all("accept"))).toBe("c1 (permissive), s1 (permissive), s2 (permissive)"));
test("an agent at an earlier stage is named", () =>
  expect(incompatibleMembers("require", { ...all("use"), c2: { stage: "accept" } })).toBe("c2 (permissive)"));
test("an agent that is down does not count", () =>
  expect(incompatibleMembers("require", { ...all("use"), c2: { stage: "accept", up: false } })).toBe("none"));
test("an agent that has not registered itself yet does not count", () =>
  expect(incompatibleMembers("require", { ...all("require"), s3: { registered: false } })).toBe("none"));
test("without a readable answer nothing is printed", () => {
  const { stdout } = spawnSync(
    "sh",
    ["-c", `ask() { echo refused; }\nvalue() { jq -r "$@" 2>/dev/null; }\n${STAGE}\nincompatible_members use`],
    {
      encoding: "utf8",
    },
  );
  expect(stdout.trim()).toBe("");
});
