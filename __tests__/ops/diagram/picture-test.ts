import type { Box } from "../../../ops/diagram/boxes";
import { graphOf } from "../../../ops/diagram/graph";
import { pictureOf } from "../../../ops/diagram/picture";
import { FOUR_HOSTS, HEAD, load } from "../../cluster-files";
import { clusterOf, manyClients } from "./clusters";

const flat = (boxes: readonly Box[]): Box[] => boxes.flatMap((box) => [box, ...flat(box.children)]);
const pictured = (text: string) => pictureOf(graphOf(load(text)));
const arrowsOf = (text: string) =>
  (pictured(text).arrows ?? []).map(({ from, to, mutual }) => `${from} ${mutual ? "<->" : "->"} ${to}`);

describe("what is summed up", () => {
  const summed = (...cluster: Parameters<typeof manyClients>) =>
    flat(pictureOf(graphOf(manyClients(...cluster))).boxes);
  const wordsOf = (boxes: readonly Box[]) =>
    boxes.filter(({ kind }) => kind === "more").map(({ title, lines }) => [title, ...lines].join(": "));

  test("nothing, of 48 clients", () => expect(wordsOf(summed(48))).toEqual([]));
  test("of more, those that have no room", () => expect(wordsOf(summed(85))).toEqual(["and 37 more: 37 clients"]));
  test("never one, whose box has the room of what it would stand for", () => {
    expect(wordsOf(summed(49))).toEqual([]);
    expect(wordsOf(summed(50))).toEqual(["and 2 more: 2 clients"]);
  });
  test("stacks have equal room", () => {
    const boxes = summed(100, (client) => `rack${client % 4}`);
    expect(wordsOf(boxes)).toEqual(Array.from({ length: 4 }, () => "and 13 more: 13 clients"));
  });
  test("all clients of a stack, where each stack would show one", () => {
    const boxes = summed(1000, (client) => `rack${Math.floor(client / 25)}`);
    expect(wordsOf(boxes)).toEqual(Array.from({ length: 40 }, () => "25 hosts: 25 clients"));
  });
  test("stacks, where there are too many of a step", () =>
    expect(wordsOf(summed(997, (client) => `host${client}`))).toEqual(["and 957 more stacks: 957 clients"]));
  test("servers are drawn, however many clients there are", () =>
    expect(summed(997).filter(({ kind, agents }) => kind === "agent" && agents[0]?.role === "server")).toHaveLength(3));
});

describe("arrows", () => {
  const mutual = ["agent_s1 <-> agent_s2", "agent_s1 <-> agent_s3", "agent_s2 <-> agent_s3"];
  const three = (from: string) => ["s1", "s2", "s3"].map((server) => `${from} -> agent_${server}`);

  test("go both ways between agents that join each other", () =>
    expect(arrowsOf(FOUR_HOSTS).sort()).toEqual([...mutual, ...three("agent_c1")].sort()));

  const many = (
    more: string,
  ) => `${HEAD}hosts: { s1: 10.0.0.1, s2: 10.0.0.2, s3: 10.0.0.3, ca: 10.0.0.4, cb: 10.0.0.5, cc: 10.0.0.6 }
servers: [s1, s2, s3]
clients: [ca, cb, ${more}]
`;
  test("of clients that join the same are those of the box that they are in", () =>
    expect(arrowsOf(many("cc")).sort()).toEqual([...mutual, ...three("clients_with_host_ca")].sort()));
  test("of one that joins others are its own", () =>
    expect(arrowsOf(many("{ name: cc, join: [s1] }")).sort()).toEqual(
      [...mutual, ...three("clients_with_host_ca"), "agent_cc -> agent_s1"].sort(),
    ));

  test("are told in words when they are too many", () => {
    const names = Array.from({ length: 13 }, (_, index) => `s${index + 10}`);
    const text = `${HEAD}hosts: { ${names.map((name, index) => `${name}: 10.0.0.${index + 1}`).join(", ")} }\nservers: [${names}]\njoin: [${names}]\n`;
    const { arrows, joins } = pictured(text);
    expect([arrows, joins]).toEqual([undefined, ["s10, s11, s12, s13, s14, s15 and 7 more join each other"]]);
  });

  test("of a thousand clients are three", () =>
    expect(
      pictureOf(graphOf(manyClients(997, (client) => `rack${Math.floor(client / 25)}`))).arrows?.filter(
        ({ mutual }) => !mutual,
      ),
    ).toHaveLength(3));
});

describe("words", () => {
  const linesOf = (text: string, agent: string) =>
    flat(pictured(text).boxes).find(({ id }) => id === `agent_${agent}`)?.lines;

  test("what is usual of ports stands once, for servers and for clients", () => {
    expect(pictureOf(graphOf(clusterOf("clusters/production.yaml"))).ports).toEqual([
      {
        role: "server",
        lines: [
          "open to other hosts: gossip 8301, WAN gossip 8302, RPC 8300",
          "only to its own host: HTTP 8500, HTTPS 8501, gRPC with TLS 8503, DNS 8600",
        ],
      },
      {
        role: "client",
        lines: ["open to other hosts: gossip 8301", "only to its own host: HTTP 8500, HTTPS 8501, DNS 8600"],
      },
    ]);
  });
  test("what is not usual stands with the agent", () => {
    const text = FOUR_HOSTS.replace(
      "[s1, s2, s3]",
      "[s1, s2, { name: s3, ports: { server: 9300, http: 9500, dns: -1 } }]",
    );
    expect([linesOf(text, "s3"), linesOf(text, "s1")]).toEqual([
      ["open to other hosts: RPC 9300", "only to its own host: HTTP 9500", "no DNS"],
      [],
    ]);
  });
  test("published ports stand with the agent", () => {
    const boxes = flat(pictureOf(graphOf(clusterOf("clusters/local.yaml"))).boxes);
    expect(boxes.find(({ id }) => id === "agent_consul_client1")?.lines).toEqual([
      "client",
      "published: HTTP 8500, DNS 8600",
    ]);
  });
  test("an agent that leaves says so", () =>
    expect(linesOf(FOUR_HOSTS.replace("[c1]", "[{ name: c1, decommission: true }]"), "c1")).toEqual([
      "to be decommissioned",
    ]));

  test.each([
    ["security: off", "security off"],
    ["security: on", "security on: TLS, gossip encryption, ACLs"],
    ["security: { stage: outgoing }", "security being turned on: stage outgoing"],
  ])("%s", (security, words) =>
    expect(pictured(FOUR_HOSTS.replace("security: off", security)).security.words).toBe(words),
  );
});
