import { MAX_PART_BYTES } from "../../consul/request-json";
import { REQUEST_VARIABLE } from "../../rollout/request";
import { BRIDGE, HEAD } from "../cluster-files";
import { containerOf, requestOf, stackOf, synthesizeText } from "../synthesized";

const containerIn = (text: string, agent: string) => containerOf(synthesizeText(text), agent);
const replaceOf = (text: string, agent: string, ...running: { name: string; command: string[] }[]) =>
  requestOf("pre-stop", containerIn(text, agent), ...running);
const decommissionOf = (text: string, agent: string) => requestOf("decommission", containerIn(text, agent));
const configOf = (text: string, agent: string) => replaceOf(text, agent).next.config ?? {};
const CLUSTER = `${HEAD}hosts: { s1: 10.0.0.1, s2: 10.0.0.2, s3: 10.0.0.3, c1: 10.0.0.4 }\nservers: [s1, { name: s2, container: two, node: second }, s3]\nclients: [c1]\nready_timeout: 77\n`;

test("Terraform makes the pre-stop check before it destroys the container", () => {
  const { provisioner } = containerIn(CLUSTER, "s2");
  expect(provisioner?.map(({ "local-exec": { when, command } }) => ({ when, command }))).toEqual([
    { when: "destroy", command: "pre-stop second" },
  ]);
});

test("the pre-stop check of a server is made in its own container, then in the others", () => {
  const { target, servers } = replaceOf(CLUSTER, "s2");
  expect(target).toEqual({ daemon: "ssh://root@10.0.0.2", container: "two" });
  expect(servers).toEqual([
    { daemon: "ssh://root@10.0.0.1", container: "s1" },
    { daemon: "ssh://root@10.0.0.3", container: "s3" },
  ]);
});

test("the container and the node are the running ones, and the lock's owner is the agent's Terraform id, so that a new name changes none of them", () => {
  const running = { name: "first-name", command: ["agent", "-server", "-node=first-node", "-ui"] };
  expect(replaceOf(CLUSTER, "s2", running)).toMatchObject({
    target: { daemon: "ssh://root@10.0.0.2", container: "first-name" },
    role: "server",
    owner: "s2",
    node: "first-node",
    seconds: 77,
    limit: 3,
    next: { stage: "off" },
  });
});

test("the check of a client agent is made in its own container, then in the servers, with the number of rollout slots", () => {
  const { target, servers, ...request } = replaceOf(`${CLUSTER}max_parallel_clients: 4\n`, "c1");
  expect([target, ...servers].map(({ container }) => container)).toEqual(["c1", "s1", "two", "s3"]);
  expect(request).toMatchObject({ role: "client", owner: "c1", node: "c1", limit: 4, seconds: 77 });
});

test("the next image is pulled to the host first", () => {
  const text = `${CLUSTER}mirror: r.example:5000\nimage: hashicorp/consul:1.21.5\n`;
  const { target, next, seconds } = replaceOf(text, "c1");
  expect({ target, image: next.image, seconds }).toEqual({
    target: { daemon: "ssh://root@10.0.0.4", container: "c1" },
    image: "r.example:5000/hashicorp/consul:1.21.5",
    seconds: 77,
  });
});

describe("the next image's Consul has to accept the next configuration", () => {
  test("as a whole, with the flags of the command", () => {
    const text = `${CLUSTER}config: { log_level: "a \${b}" }\n`;
    expect(configOf(text, "s2")).toMatchObject({
      ...{
        data_dir: "/consul/data",
        node_name: "second",
        bind_addr: "10.0.0.2",
        client_addr: "127.0.0.1",
        server: true,
        bootstrap_expect: 3,
      },
      ...{ log_level: "a ${b}", retry_interval: "2s", datacenter: "dc1" },
    });
    expect(replaceOf(text, "s2").next.network).toBe("host");
  });
  test("a client is none of the servers", () => {
    const config = configOf(CLUSTER, "c1");
    expect(config).not.toHaveProperty("server");
    expect(config).not.toHaveProperty("bootstrap_expect");
  });
  test("in the network of the new container", () => {
    const text = `${BRIDGE}servers: [{ name: s1, host: local }]\n`;
    expect(replaceOf(text, "s1").next.network).toBe("c");
    expect(configOf(text, "s1")).not.toHaveProperty("bind_addr");
  });

  /** Linux's own limit of an environment variable, with its name: MAX_ARG_STRLEN. */
  const LINUX_LIMIT = 128 * 1024;
  const textOf = (value: string) =>
    containerIn(`${CLUSTER}config: { x: ${JSON.stringify(value)} }\n`, "c1").provisioner?.[0]?.["local-exec"]
      .environment[REQUEST_VARIABLE] ?? "";

  test.each([
    ["letters", "y", 200_000],
    ["quotes, which JSON writes as two characters", '"', 60_000],
    ["characters of several bytes", "ü", 100_000],
  ])("unless it is too large for a variable: %s", (_, piece, count) => {
    const text = textOf(piece.repeat(count));
    expect(Buffer.byteLength(text)).toBeLessThan(LINUX_LIMIT);
    expect(JSON.parse(text.replace(/\$\{jsonencode\(.+?\)\}/g, '"x"')).next).toEqual({
      image: "hashicorp/consul:1.22.7",
      network: "host",
      stage: "off",
    });
  });
  test.each([
    ["letters", "y", 1],
    ["quotes", '"', 2],
    ["characters of several bytes", "ü", 2],
  ])("at every size it is in a request that is not too large: %s", (_, piece, bytes) => {
    const texts = [0.7, 0.8, 0.9, 1, 1.1].map((part) =>
      textOf(piece.repeat(Math.floor((part * MAX_PART_BYTES) / bytes))),
    );
    for (const text of texts) expect(Buffer.byteLength(text)).toBeLessThan(LINUX_LIMIT - REQUEST_VARIABLE.length - 2);
    expect(texts.map((text) => text.includes('"config":'))).toEqual([true, true, false, false, false]);
  });
});

describe("an agent that is decommissioned", () => {
  const leaving = CLUSTER.replace("servers: [s1,", "servers: [{ name: s1, decommission: true },")
    .replace("s3]", "s3, s4]")
    .replace("s3: ", "s4: 10.0.0.9, s3: ");
  const text = `${leaving}join: [s1, s2, s3]\n`;

  test("keeps its resource, with no container, so that Terraform runs the pre-stop check", () => {
    const { resource } = stackOf(synthesizeText(text), "c");
    expect(resource.docker_container.s1).toMatchObject({ count: 0 });
    const staying = ["c1", "s2", "s3", "s4"].flatMap((agent) => [agent, `${agent}_services`]);
    expect(Object.keys(resource.terraform_data).sort()).toEqual(
      [...staying, "consul_autopilot", "consul_definitions", "consul_quorum"].sort(),
    );
  });
  test("is checked for leaving, with the number of remaining servers, and needs no next image", () => {
    expect(decommissionOf(text, "s1")).toEqual({
      step: "decommission",
      target: { daemon: "ssh://root@10.0.0.1", container: "s1" },
      role: "server",
      owner: "s1",
      node: "s1",
      seconds: 77,
      limit: 3,
      servers: [
        { daemon: "ssh://root@10.0.0.2", container: "two" },
        { daemon: "ssh://root@10.0.0.3", container: "s3" },
        { daemon: "ssh://root@10.0.0.9", container: "s4" },
      ],
    });
  });
  test("is not asked by others", () => {
    for (const agent of ["s2", "c1"])
      expect(replaceOf(text, agent).servers.map(({ container }) => container)).not.toContain("s1");
  });
});
