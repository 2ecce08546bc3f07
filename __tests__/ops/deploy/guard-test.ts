import { locationText, type Problem } from "../../../cluster/problem";
import { guard } from "../../../ops/deploy/guard";
import type { StackState, StateResource } from "../../../ops/terraform/state";
import { FOUR_HOSTS, HEAD, load } from "../../cluster-files";
import { stacksOf } from "../../synthesized";

const resource = (type: string, name: string, provider: string | undefined, attributes = {}): StateResource => ({
  address: `${type}.${name}`,
  mode: "managed",
  type,
  name,
  provider,
  tainted: false,
  deposed: false,
  attributes,
});
/** What a deployed agent has in the state. */
const agent = (name: string, role: "server" | "client", host = name): StateResource[] => [
  resource("docker_container", name, `${host}_host`, { command: ["agent", ...(role === "server" ? ["-server"] : [])] }),
  resource("docker_image", name, `${host}_host`),
  resource("terraform_data", name, undefined),
];
const DEPLOYED = [...["s1", "s2", "s3"].flatMap((name) => agent(name, "server")), ...agent("c1", "client")];

/** `line:column code`, and everything that is said. */
function said(
  text: string,
  states: Record<string, readonly StateResource[]>,
): { places: string[]; problems: Problem[] } {
  const cluster = load(text);
  const stacks = Object.entries(stacksOf(cluster)).map(([name, json]) => ({
    name,
    folder: `cdktf.out/stacks/${name}`,
    dependencies: [],
    json,
  }));
  const of = new Map(
    Object.entries(states).map(([name, resources]): [string, StackState] => [name, { outputs: {}, resources }]),
  );
  const problems = guard(cluster, stacks, of);
  return {
    problems,
    places: problems.map(
      (problem) => `${locationText(problem.location).replace(/^.*?:(?=\d+:\d+$)/, "")} ${problem.code}`,
    ),
  };
}

test("a file that matches what exists, or what does not exist yet, is allowed", () => {
  expect(said(FOUR_HOSTS, { c: DEPLOYED }).problems).toEqual([]);
  expect(said(FOUR_HOSTS, { c: [] }).problems).toEqual([]);
  expect(
    said(FOUR_HOSTS, { c: [...DEPLOYED, resource("docker_container", "somebodys", "s1_host", { command: ["nginx"] })] })
      .problems,
  ).toEqual([]);
});

test("a registrator that is turned off is not a deleted line of an agent", () => {
  const command = ["-ip=10.0.0.4", "consul://127.0.0.1:8500"];
  const registrator = [
    resource("docker_container", "c1_registrator", "c1_host", { command }),
    resource("docker_image", "c1_registrator", "c1_host"),
  ];
  expect(said(FOUR_HOSTS, { c: [...DEPLOYED, ...registrator] }).problems).toEqual([]);
});

test("a deleted line: of a server and of a client agent, with the hint", () => {
  const { places, problems } = said(FOUR_HOSTS, {
    c: [...DEPLOYED, ...agent("s4", "server", "s3"), ...agent("c2", "client", "c1")],
  });
  expect(places).toEqual(["5:1 line-deleted", "6:1 line-deleted"]);
  expect(problems[0]).toMatchObject({
    message:
      'server "s4" is no longer in the file, and stack "c" has its container: it would be stopped without a pre-stop check, and stay a voter that is down',
    hint: expect.stringContaining("`decommission: true`"),
  });
  expect(problems[1]?.message).toMatch(/^client "c2" .*stay a member that has failed$/);
});

test("a deposed container is not a deleted line", () => {
  const deposed = { ...(agent("s9", "server", "s1")[0] as StateResource), deposed: true };
  expect(said(FOUR_HOSTS, { c: [...DEPLOYED, deposed] }).problems).toEqual([]);
});

test("an agent on another host than its container", () => {
  const moved = FOUR_HOSTS.replace(
    "clients: [c1]",
    "clients: [{ name: c1, host: s1, ports: { http: 1, dns: 2, serf_lan: 3 } }]",
  );
  const { places, problems } = said(moved, { c: DEPLOYED });
  expect(places).toEqual(["6:11 host-moved"]);
  expect(problems[0]?.message).toContain('the file has "c1" on host "s1", and its container is on host "c1"');
});

describe("a host in a group", () => {
  const grouped = FOUR_HOSTS.replace("c1: 10.0.0.4", "c1: { address: 10.0.0.4, group: edge }");
  const servers = DEPLOYED.filter(({ name }) => name !== "c1");

  test("that it belongs to is allowed", () =>
    expect(said(grouped, { c: servers, "c-edge": agent("c1", "client") }).problems).toEqual([]));
  test("that its container does not belong to yet is rejected, and vice versa", () => {
    expect(said(grouped, { c: DEPLOYED, "c-edge": [] }).places).toEqual(["6:11 stack-moved"]);
    expect(said(FOUR_HOSTS, { c: servers, "c-edge": agent("c1", "client") }).places).toEqual(["6:11 stack-moved"]);
  });
  test("that the file has no longer is rejected, as long as its stack has resources", () => {
    const without = FOUR_HOSTS.replace(", c1: 10.0.0.4", "").replace("clients: [c1]\n", "");
    const { places, problems } = said(without, { c: servers, "c-edge": agent("c1", "client") });
    expect(places).toEqual(["4:1 stack-gone"]);
    expect(problems[0]).toMatchObject({
      message: expect.stringContaining('stack "c-edge" any more, and its Terraform state has docker_container.c1: '),
      hint: expect.stringContaining("npm run destroy -- c-edge"),
    });
    expect(said(without, { c: servers, "c-edge": [resource("docker_image", "c1", "c1_host")] }).places).toEqual([
      "4:1 stack-gone",
    ]);
    expect(said(without, { c: servers, "c-edge": [] }).problems).toEqual([]);
  });
});

test("a host that the file has no longer, with images in the Terraform state: the hint has the command that removes them", () => {
  const { problems, places } = said(FOUR_HOSTS, {
    c: [...DEPLOYED, resource("docker_image", "old_registrator", "old_host")],
  });
  expect(places).toEqual(["4:1 host-gone"]);
  expect(problems[0]?.hint).toContain("terraform -chdir=cdktf.out/stacks/c state rm 'docker_image.old_registrator'");
});

test("a host that only has another name is one problem to allow, not several", () => {
  const renamed = `${HEAD}hosts: { s1: 10.0.0.1, s2: 10.0.0.2, s3: 10.0.0.3, web: 10.0.0.4 }
servers: [s1, s2, s3]
clients: [{ name: c1, host: web }]
`;
  expect(said(renamed, { c: DEPLOYED }).places).toEqual(["6:11 host-moved"]);
});

test("a Terraform state of another cluster's containers is rejected as a whole", () => {
  const of = (cluster: string, name: string) =>
    resource("docker_container", name, `${name}_host`, {
      command: ["agent"],
      labels: [{ label: "consul-cdktf.cluster", value: cluster }],
    });
  const { places, problems } = said(FOUR_HOSTS, { c: [of("other", "s1"), of("other", "x1")] });
  expect(places).toEqual(["1:7 state-of-other-cluster"]);
  expect(problems[0]).toMatchObject({
    message: expect.stringContaining('that of the cluster "other"'),
    hint: expect.stringContaining("mv terraform.c.tfstate terraform.c.tfstate.foreign"),
  });
  expect(said(FOUR_HOSTS, { c: [of("c", "s1"), of("other", "s2")] }).places).toEqual([]);
});

describe("another subnet", () => {
  const network = resource("docker_network", "h1_host", "h1_host", { ipam_config: [{ subnet: "172.30.86.0/24" }] });
  const file = (subnet: string, clients = "[c1]") => `name: c
security: off
network: bridge
subnet: ${subnet}
daemon: unix:///var/run/docker.sock
hosts: { h1: 127.0.0.1 }
servers: [{ name: s1, host: h1 }]
clients: ${clients.replace("c1", "{ name: c1, host: h1 }")}
`;
  const deployed = [network, ...agent("s1", "server", "h1"), ...agent("c1", "client", "h1")];

  test("of a bridge network with several agents is rejected: each one's check would wait for the others' start", () => {
    const { problems, places } = said(file("172.30.90.0/24"), { c: deployed });
    expect(places).toEqual(["4:9 network-replaced"]);
    expect(problems[0]).toMatchObject({
      message: expect.stringContaining('host "h1" has a bridge network with subnet 172.30.86.0/24, and s1, c1 would'),
      hint: expect.stringContaining("restore `subnet: 172.30.86.0/24`"),
    });
  });

  test("is what it was, or of a network with one agent, or without a network: allowed", () => {
    expect(said(file("172.30.86.0/24"), { c: deployed }).problems).toEqual([]);
    const alone = [network, ...agent("s1", "server", "h1")];
    expect(said(file("172.30.90.0/24", "[]"), { c: alone }).problems).toEqual([]);
    const left = resource("docker_network", "s1_host", "s1_host", { ipam_config: [{ subnet: "172.30.86.0/24" }] });
    const moved = agent("s2", "server", "s1");
    expect(
      said(FOUR_HOSTS, { c: [left, ...agent("s1", "server"), ...moved] }).problems.map(({ code }) => code),
    ).toEqual(["host-moved"]);
  });
});
