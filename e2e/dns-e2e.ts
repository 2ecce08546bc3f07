import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./consul";
import { documented } from "./documented";
import { LiveCluster } from "./live-cluster";
import { Page } from "./page";
import type { RunningCommand } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";

/** The configuration of dnsmasq for hosts, from docs/dns.md. */
const DNSMASQ =
  documented("docs/dns.md", "conf").find((block) => block.startsWith("# /etc/dnsmasq.d/consul.conf\n")) ?? "";
/** A name that only the recursor knows, and its address. */
const OUTSIDE = ["www.outside.example", "203.0.113.7"] as const;
/** The recursor's address: it runs on the operator's machine, whose port 53 is free. */
const RECURSOR = "172.16.8.2";
const IMAGE = "hashicorp/consul:1.22.7";

/** Both in the full suite only, which has time for it. */
const SECURITIES = process.env.FULL ? (["on", "off"] as const) : (["on"] as const);

describe.each(SECURITIES)("names are resolved, with security %s", (security) => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;
  let outside: RunningCommand;
  const address = (agent: string) => String(cluster.file.hosts[agent]);
  /** Starts dnsmasq as a DNS server on a machine. */
  const dnsmasq = (machine: Pick<TestBed["operator"]["machine"], "spawn">, ...options: string[]) =>
    machine.spawn("dnsmasq", [
      "--keep-in-foreground",
      "--user=root",
      "--pid-file=",
      "--no-hosts",
      "--log-facility=-",
      ...options,
    ]);

  /** The output of dig on the operator's machine, which has no agent. */
  const dig = async (agent: string, ...args: string[]): Promise<string> =>
    (
      await testBed.operator.machine.run("dig", [`@${address(agent)}`, "+time=2", "+tries=1", ...args], {
        check: false,
      })
    ).stdout;
  const short = async (agent: string, ...args: string[]): Promise<string[]> =>
    (await dig(agent, "+short", ...args)).split("\n").filter((line) => line !== "" && !line.startsWith(";;"));
  /** The records of a response, each `name ttl IN type value`. */
  const answers = async (agent: string, ...args: string[]): Promise<string[][]> =>
    (await dig(agent, "+noall", "+answer", ...args))
      .split("\n")
      .filter((line) => /\sIN\s/.test(line))
      .map((line) => line.split(/\s+/));
  const register = (agent: string, service: object) => cluster.api(agent).put("/v1/agent/service/register", service);
  /** The output of nslookup in a container that has these name servers. */
  const inContainer = async (host: string, name: string, ...servers: string[]) => {
    const dns = servers.map((server) => `--dns=${server}`);
    const resolved = await testBed
      .host(host)
      .dockerWith(
        { check: false },
        "run",
        "--rm",
        "--network",
        "host",
        ...dns,
        "--entrypoint",
        "nslookup",
        IMAGE,
        name,
      );
    return resolved.stdout;
  };

  beforeAll(async () => {
    outside = dnsmasq(
      testBed.operator.machine,
      "--conf-file=/dev/null",
      "--no-resolv",
      "--bind-interfaces",
      `--listen-address=${RECURSOR}`,
      `--address=/${OUTSIDE.join("/")}`,
    );
    cluster = await LiveCluster.up(testBed, `names${security}`, {
      security,
      settings: {
        ports: { dns: 53 },
        clients: [
          "consul-client1",
          // Its port 53 is left to another DNS server on its host, and its lookups go to the leader only.
          { name: "consul-client2", ports: { dns: 8600 }, dns: { allow_stale: false } },
        ],
        dns: { recursors: [RECURSOR], node_ttl: "7s", service_ttl: { "*": "3s", shop: "5s" }, enable_truncate: true },
      },
    });
    await register("consul-client1", { Name: "shop", Port: 8080, Tags: ["blue"] });
    await register("consul-client2", { Name: "shop", Port: 9090, Tags: ["green"] });
    await eventually(async () => expect(await short("consul-server2", "shop.service.consul")).toHaveLength(2));
  });
  afterAll(async () => {
    outside.signal("SIGTERM");
    await outside.finished;
    await cluster.down();
  });

  test("every agent listens on port 53, as Consul's own user", async () => {
    for (const agent of cluster.agentNames.filter((name) => name !== "consul-client2")) {
      expect({ agent, answer: await short(agent, "consul-client1.node.consul") }).toEqual({
        agent,
        answer: [address("consul-client1")],
      });
      const user = await cluster.docker(agent, "exec", agent, "sh", "-c", "stat -c %U /proc/$(pidof consul)");
      expect(user.stdout.trim()).toBe("consul");
    }
  });

  test("the page's query, on a client agent's host, finds its service", async () => {
    const page = Page.open("docs/dns.md", cluster.project);
    const [query = ""] = page.commands("# ");
    const { stdout } = await testBed.host("consul-client2").run("sh", ["-euc", query]);
    expect(stdout).toMatch(/^shop\.service\.consul\.\s+\d+\s+IN\s+SRV\s+1 1 9090 consul-client2\./m);
    // The test bed's hosts have no systemd; a container with these DNS servers is another test.
    expect(page.untyped.map((block) => block.split(" ", 2).join(" "))).toEqual(["systemctl restart", "docker run"]);
  });

  test("nodes and services, by UDP and TCP, with the TTLs of the file", async () => {
    expect(await answers("consul-client1", "consul-server1.node.consul")).toMatchObject([
      ["consul-server1.node.consul.", "7", "IN", "A", address("consul-server1")],
    ]);
    const shop = await answers("consul-client1", "+tcp", "shop.service.consul");
    expect(shop.map(([, ttl, , , value]) => `${ttl} ${value}`).sort()).toEqual(
      ["consul-client1", "consul-client2"].map((agent) => `5 ${address(agent)}`),
    );
    expect((await answers("consul-server3", "consul.service.consul")).map(([, ttl]) => ttl)).toEqual(["3", "3", "3"]);
  });

  test("ports, by SRV, and one of several instances, by its tag", async () => {
    const srv = await short("consul-server2", "shop.service.consul", "SRV");
    expect(srv.map((line) => line.split(" ")[2]).sort()).toEqual(["8080", "9090"]);
    expect(await short("consul-server2", "green.shop.service.consul")).toEqual([address("consul-client2")]);
  });

  test("other names, through the recursor", async () => {
    for (const agent of ["consul-client1", "consul-server1"])
      expect(await short(agent, OUTSIDE[0])).toEqual([OUTSIDE[1]]);
  });

  test("an unknown name in Consul's domain is not forwarded to the recursor", async () => {
    expect(await dig("consul-client1", "nobody.service.consul")).toContain("status: NXDOMAIN");
  });

  test("a response that is too long for UDP is marked as truncated, and is complete by TCP", async () => {
    const instances = Array.from({ length: 60 }, (_, index) => ({
      ID: `many${index}`,
      Name: "many",
      Address: `10.9.0.${index + 1}`,
      Port: 1000 + index,
    }));
    for (const instance of instances) await register("consul-client1", instance);
    await eventually(async () =>
      expect(await short("consul-server2", "+tcp", "many.service.consul", "SRV")).toHaveLength(60),
    );
    const udp = await dig("consul-server2", "+ignore", "many.service.consul", "SRV");
    expect(udp).toMatch(/;; flags: .*\btc\b/);
    // dig retries by TCP, as every resolver does.
    expect(await short("consul-server2", "many.service.consul", "SRV")).toHaveLength(60);
  });

  test("in a container with --dns; the second name server responds while the first is unreachable", async () => {
    expect(await inContainer("consul-client2", "shop.service.consul", address("consul-client1"))).toContain(
      address("consul-client1"),
    );
    expect(await inContainer("consul-client2", OUTSIDE[0], address("consul-client1"))).toContain(OUTSIDE[1]);
    expect(
      await inContainer("consul-client2", "shop.service.consul", "172.16.8.99", address("consul-server1")),
    ).toContain(address("consul-client2"));
  });

  test("on a host with dnsmasq, with the configuration of docs/dns.md", async () => {
    const host = testBed.host("consul-client2");
    const file = join(cluster.project.folder, "consul.conf");
    writeFileSync(file, DNSMASQ);
    const local = dnsmasq(
      host,
      `--conf-file=${file}`,
      "--no-resolv",
      `--server=${RECURSOR}`,
      "--bind-interfaces",
      "--listen-address=127.0.0.1",
    );
    const ask = async (name: string) =>
      (await host.run("dig", ["+short", "+time=2", "+tries=1", "@127.0.0.1", name], { check: false })).stdout.trim();
    try {
      await eventually(async () => expect(await ask(OUTSIDE[0])).toBe(OUTSIDE[1]));
      expect(await ask("consul-server1.node.consul")).toBe(address("consul-server1"));
    } finally {
      local.signal("SIGTERM");
      await local.finished;
    }
  });

  // Last, since it leaves the cluster without a quorum.
  test("names resolve without a leader, from any server, unless an agent has `allow_stale: false`", async () => {
    const leader = await cluster.leader();
    const [other, left] = cluster.serverNames.filter((name) => name !== leader) as [string, string];
    for (const server of [leader, other]) await cluster.docker(server, "stop", "-t", "5", server);
    await eventually(async () => expect(await cluster.api(left).json("/v1/status/leader")).toBe(""), 60);
    for (const agent of [left, "consul-client1"]) {
      await eventually(
        async () =>
          expect(await dig(agent, "+time=5", "shop.service.consul")).toMatch(/status: NOERROR[\s\S]*ANSWER: 2/),
        60,
      );
    }
    expect(await dig("consul-client2", "-p", "8600", "+time=5", "shop.service.consul")).not.toContain("ANSWER: 2");
    for (const server of [leader, other]) await cluster.docker(server, "start", server);
    await cluster.expectWhole(120);
  });
});
