import { X509Certificate } from "node:crypto";
import type { AgentProbe } from "../../../ops/inspect/probe";
import { issue, makeCa } from "../../../ops/secrets/certificates";
import { statusOf } from "../../../ops/status/status";
import { FOUR_HOSTS, load } from "../../cluster-files";
import { health, kvEntry, member, raftServer } from "../../rollout/answers";
import { type MadeSurvey, NOW, STOPPED, surveyOf } from "./surveys";

const cluster = load(FOUR_HOSTS);
const status = (made: MadeSurvey = {}, of = cluster) => statusOf(of, surveyOf(of, made));
const wrong = (made: MadeSurvey) =>
  status(made).problems.map(({ location: { agent, host }, message }) => `${agent ?? host}: ${message}`);
const agent = (name: string, made: MadeSurvey) => status(made).agents.find((one) => one.name === name);
const DAY = 24 * 60 * 60 * 1000;

test("a cluster without a problem is healthy, and its status has the leader, the voters and the services", () => {
  expect(status()).toMatchObject({
    healthy: true,
    problems: [],
    notices: [],
    leader: { address: "10.0.0.1:8300", agent: "s1" },
    voters: ["s1", "s2", "s3"],
    services: { names: ["nginx", "redis"], failing: [] },
    agents: [
      {
        name: "c1",
        role: "client",
        healthy: true,
        leader: "s1",
        member: { address: "10.0.0.4:8301", status: "alive" },
      },
      { name: "s1", healthy: true, raft: { voter: true, leads: true, behind: 0 } },
      {
        name: "s2",
        container: { status: "running", health: "healthy", image: "hashicorp/consul:1.22.2", drifted: false },
        version: "1.22.2",
      },
      { name: "s3", raft: { voter: true, leads: false, behind: 0, contact: "23.456789ms" } },
    ],
  });
});

describe("each problem is named", () => {
  test("a stopped container", () => {
    expect(wrong({ agents: { c1: STOPPED } })).toEqual(["c1: its container has exited"]);
    expect(agent("c1", { agents: { c1: STOPPED } })).toMatchObject({ healthy: false, container: { status: "exited" } });
    expect(agent("c1", { agents: { c1: STOPPED } })?.version).toBeUndefined();
  });

  test("a server that is no voter, by its own configuration of raft", () => {
    const servers = ["s1", "s2", "s3"].map((node) => raftServer(node, `10.0.0.${node.slice(1)}:8300`, node !== "s3"));
    const made = { agents: Object.fromEntries(["s1", "s2", "s3"].map((name) => [name, { says: { servers } }])) };
    expect(wrong(made)).toEqual(["s3: it is not ready: it is no voter"]);
    expect(status(made).voters).toEqual(["s1", "s2"]);
  });

  test("a server that has lost its data, whose predecessor still votes under its name", () => {
    const says = { id: "new" };
    expect(wrong({ agents: { s3: { says } } })).toEqual(["s3: it is not ready: it is no voter"]);
  });

  test("an agent that knows no leader, and why it cannot say", () => {
    const says = { leader: "", whyNoLeader: "No known Consul servers" };
    expect(wrong({ agents: { c1: { says }, s3: { says: { leader: "" } } } })).toEqual([
      "c1: it is not ready: it knows no leader: No known Consul servers",
      "s3: it is not ready: it knows no leader",
    ]);
    expect(agent("c1", { agents: { c1: { says } } })?.leader).toBe("");
  });

  test("an agent that knows another leader than most", () => {
    const own = { leader: "10.0.0.3:8300", servers: [raftServer("s3", "10.0.0.3:8300")] };
    const made = { agents: { s3: { says: own } } };
    expect(wrong(made)).toEqual(["s3: it follows the leader 10.0.0.3:8300, and most agents follow 10.0.0.1:8300"]);
    expect(agent("s3", made)?.leader).toBe("10.0.0.3:8300");
    expect(status(made).leader?.agent).toBe("s1");
  });

  test("servers outvote clients, who repeat what some server says", () => {
    const many = load(`name: c
security: off
daemon: ssh://root@{address}
hosts: { s1: 10.0.0.1, s2: 10.0.0.2, s3: 10.0.0.3, c1: 10.0.0.4, c2: 10.0.0.5, c3: 10.0.0.6, c4: 10.0.0.7 }
servers: [s1, s2, s3]
clients: [c1, c2, c3, c4]
`);
    const other = { says: { leader: "10.0.0.3:8300" } };
    expect(status({ agents: { s3: other, c1: other, c2: other, c3: other, c4: other } }, many).leader?.agent).toBe(
      "s1",
    );
  });

  test("an unreachable host, with its agents", () => {
    const made = { silent: { s3: "no answer within 3.5 s" } };
    expect(wrong(made)).toEqual(["s3: its Docker daemon is unreachable: no answer within 3.5 s"]);
    expect(agent("s3", made)).toMatchObject({ healthy: false, container: undefined });
    expect(status(made).hosts).toContainEqual({
      name: "s3",
      address: "10.0.0.3",
      docker: undefined,
      why: "no answer within 3.5 s",
    });
  });

  test("an agent on an unreachable host is in the leader's gossip", () => {
    const members = [
      member("s1"),
      member("s2"),
      member("s3", { Addr: "10.0.0.3", Status: 4 }),
      member("c1", { role: "node" }),
    ];
    const made = { silent: { s3: "no answer within 3 s" }, agents: { s1: { says: { members } } } };
    expect(agent("s3", made)).toMatchObject({ member: { address: "10.0.0.3:8301", status: "failed" } });
    expect(agent("s3", { ...made, agents: { s1: STOPPED, s2: STOPPED, c1: STOPPED } })?.member).toBeUndefined();
  });

  test("a server that autopilot reports as unhealthy, and how far it is behind", () => {
    const others = ["s1", "s3"].map((name) => health(name, { LastIndex: 442 }));
    const behind = health("s2", { Healthy: false, LastIndex: 30, LastContact: "3.2s" });
    expect(wrong({ agents: { s1: { says: { health: [...others, behind] } } } })).toEqual([
      "s2: autopilot reports server s2 as unhealthy (alive, 412 entries behind, last contact 3.2s)",
    ]);
  });

  test("a server on an unreachable host is one problem, and is known to the file", () => {
    const servers = [health("s1"), health("s2"), health("s3", { Healthy: false, SerfStatus: "failed" })];
    const made = { silent: { s3: "no answer within 3 s" }, agents: { s1: { says: { health: servers } } } };
    expect(wrong(made)).toEqual(["s3: its Docker daemon is unreachable: no answer within 3 s"]);
  });

  test("a server that autopilot reports as unhealthy, and the file does not have", () => {
    const old = health("old", { Healthy: false, SerfStatus: "failed", LastContact: "1s" });
    expect(wrong({ agents: { s1: { says: { health: [old] } } } })).toEqual([
      "s1: autopilot reports server old as unhealthy (failed, 0 entries behind, last contact 1s), and the file has no such server",
    ]);
  });

  test("an agent that answers, and that gossip has lost", () => {
    const members = [member("s1"), member("s2"), member("s3"), member("c1", { Status: 4, role: "node" })];
    expect(wrong({ agents: { s1: { says: { members } } } })).toEqual(["c1: its API answers, and s1 has it as failed"]);
  });

  test("a container that is not as it was deployed", () => {
    const made = { agents: { s2: { container: { restart: "no" } } } };
    expect(wrong(made)).toEqual(["s2: its restart policy is no; always was deployed"]);
    expect(agent("s2", made)?.container?.drifted).toBe(true);
  });

  test("no leader when no agent knows one", () => {
    const says = { leader: "" };
    expect(status({ agents: { s1: STOPPED, s2: STOPPED, s3: { says }, c1: { says } } })).toMatchObject({
      leader: undefined,
      voters: undefined,
      services: undefined,
    });
  });
});

describe("certificates", () => {
  const by = async (days: number) => {
    const ca = await makeCa("c", new Date(Date.now() - 900 * DAY));
    // Of a year, from so many days before today on.
    return (await issue(ca, { commonName: "s1" }, new Date(Date.now() + (days - 365) * DAY))).cert;
  };
  const withCertificate = async (days: number, name = "s1") => ({
    agents: { [name]: { says: { certificate: new X509Certificate(await by(days)) } } },
  });

  test("an expired one is a problem", async () => {
    const made = await withCertificate(-1);
    expect(wrong(made)).toEqual([expect.stringMatching(/^s1: its certificate expired on \d{4}-\d\d-\d\d$/)]);
    expect(status(made).problems[0]?.hint).toBe("npm run secrets -- rotate certificates s1; npm run deploy");
  });
  test("one that expires within 30 days is a warning, and the cluster is healthy", async () => {
    const { healthy, notices } = status(await withCertificate(20));
    expect([healthy, notices]).toEqual([
      true,
      [
        expect.objectContaining({
          code: "certificate-expiring",
          location: { host: "s1", agent: "s1" },
          message: expect.stringMatching(/^its certificate expires on/),
        }),
      ],
    ]);
  });
  test("a client agent's, which is renewed in time, is no warning before the last tenth of its life", async () => {
    expect(status(await withCertificate(29, "c1")).notices).toHaveLength(1);
    const ca = await makeCa("c", new Date(Date.now() - 3645 * DAY));
    // Until the CA's end, in 5 of 25 days.
    const { cert } = await issue(ca, { commonName: "c1" }, new Date(Date.now() - 20 * DAY));
    const says = { certificate: new X509Certificate(cert) };
    expect(status({ agents: { c1: { says } } }).notices).toEqual([]);
    expect(status({ agents: { s1: { says } } }).notices).toMatchObject([{ code: "certificate-expiring" }]);
  });
  test("those that no agent shows are warned of too: the CA's, and those of people and programs", () => {
    const secured = load(FOUR_HOSTS.replace("security: off", "security: { secrets: there }"));
    const until = (days: number) => new Date(NOW.getTime() + days * DAY);
    const certificates = [
      { file: "ca.pem", until: until(200) },
      { file: "operator/cert.pem", until: until(20) },
      { file: "metrics/cert.pem", until: until(-1) },
      { file: "agents/s1/cert.pem", until: until(20) },
    ];
    const { healthy, notices } = status({ certificates }, secured);
    expect(healthy).toBe(true);
    const day = (days: number) => until(days).toISOString().slice(0, 10);
    expect(notices.map(({ code, message, hint }) => [code, message, hint])).toEqual([
      [
        "certificate-expiring",
        `there/operator/cert.pem expires on ${day(20)}`,
        "npm run secrets -- rotate --due 30d; npm run deploy",
      ],
      [
        "certificate-expired",
        `there/metrics/cert.pem expired on ${day(-1)}`,
        "npm run secrets -- rotate --due 30d; npm run deploy",
      ],
    ]);
  });
  test("one that lasts is not mentioned, and its end is known", async () => {
    const made = await withCertificate(200);
    expect([status(made).notices, agent("s1", made)?.certificateUntil?.slice(0, 10)]).toEqual([
      [],
      new Date(Date.now() + 200 * DAY).toISOString().slice(0, 10),
    ]);
  });
});

describe("notices of a healthy cluster", () => {
  const notes = (made: MadeSurvey, of = cluster) => {
    const { healthy, notices } = status(made, of);
    return [healthy, ...notices.map(({ location: { agent }, message }) => `${agent ?? ""}: ${message}`)];
  };
  const s1 = (says: Partial<AgentProbe>) => ({ agents: { s1: { says } } });

  test("failing checks", () => {
    const output = "HTTP GET http://…:\n  502";
    const failing = [{ node: "c1", service: "nginx", check: "http", status: "critical", output } as const];
    expect(notes(s1({ failing }))).toEqual([
      true,
      ': check "http" of service nginx on c1 is critical: HTTP GET http://…: 502',
    ]);
  });
  test("many failing checks are counted", () => {
    const failing = Array.from({ length: 25 }, (_, index) => ({
      node: "c1",
      service: `s${index}`,
      check: "http",
      status: "critical" as const,
      output: "",
    }));
    const said = notes(s1({ failing }));
    expect([said.length, said.at(-1)]).toEqual([22, ": 5 more checks fail"]);
  });
  test("agents that are being replaced", () => {
    const lock = kvEntry("consul-cdktf/replacing", "s2", 7);
    const slot = kvEntry("consul-cdktf/clients/c1", "", 8);
    expect(notes(s1({ locks: [lock, slot] }))).toEqual([
      true,
      "s2: holds the deploy lock: it is being replaced or decommissioned; but s2 is ready",
      "c1: has a rollout slot: it is being replaced; but c1 is ready",
    ]);
  });
  test("a host in maintenance: since its first agent was taken out of use, and no lock of it is stale", () => {
    const lock = kvEntry("consul-cdktf/replacing", "s2", 7, 1795953660);
    const slot = kvEntry("consul-cdktf/clients/c1", "", 8, 1795953600);
    const unknown = kvEntry("consul-cdktf/clients/c9", "", 9, 1795953600);
    const { healthy, notices, hosts } = status(s1({ locks: [lock, slot, unknown] }));
    expect([healthy, notices.map(({ location, message }) => `${location.host}: ${message}`)]).toEqual([
      true,
      ["s2: it is in maintenance since 2026-11-29 12:01 UTC", "c1: it is in maintenance since 2026-11-29 12:00 UTC"],
    ]);
    expect(hosts.find(({ name }) => name === "c1")?.maintenance).toBe("2026-11-29T12:00:00.000Z");
  });
  test("another version", () =>
    expect(notes({ agents: { c1: { says: { version: "1.21.5" } } } })).toEqual([
      true,
      ": c1 runs Consul 1.21.5, another version than most",
    ]));
  test("a failed member and a voter that the file does not have", () => {
    const members = [
      ...["s1", "s2", "s3", "c1"].map((name) => member(name)),
      member("old", { Addr: "10.0.0.9", Status: 4 }),
    ];
    const servers = ["s1", "s2", "s3", "old"].map((node) =>
      raftServer(node, `${node === "s1" ? "10.0.0.1" : node}:8300`),
    );
    expect(notes(s1({ members, servers }))).toEqual([
      true,
      ": member old (10.0.0.9:8301) has failed, and the file has no such agent",
      ": server old (old:8300) is a voter, and the file has no such server",
    ]);
  });
  test("a health check of Docker's that is behind", () =>
    expect(notes({ agents: { c1: { container: { Health: { Status: "unhealthy" } } } } })).toEqual([
      true,
      "c1: Docker still reports it as unhealthy",
    ]));
  test("a Terraform state that could not be read", () =>
    expect(notes({ stateUnread: "no such bucket" })).toEqual([
      true,
      ": nothing was compared with the Terraform state: no such bucket",
    ]));
  test("an agent that is to be decommissioned", () => {
    const leaving = load(FOUR_HOSTS.replace("clients: [c1]", "clients: [{ name: c1, decommission: true }]"));
    expect(notes({}, leaving)).toEqual([true, "c1: the next deploy decommissions it"]);
    expect(status({}, leaving).agents.map(({ name }) => name)).toEqual(["s1", "s2", "s3"]);
  });
});

test("a status has the time of its inspection", () => expect(status().at).toBe(NOW.toISOString()));
