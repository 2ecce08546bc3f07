import type { RegistratorDescription } from "../../../cluster/model";
import { BRIDGE, FOUR_HOSTS, load } from "../../cluster-files";

const of = (text: string): readonly RegistratorDescription[] => load(text).registrators;
/** `host: agent`, of the hosts that run one. */
const where = (text: string) => of(text).map(({ host, agent }) => `${host.name}: ${agent}`);
const PORTS = "ports: { http: 9500, dns: 9600, serf_lan: 9301 }";

describe("a registrator runs", () => {
  test("nowhere, unless it is asked for", () => expect(where(FOUR_HOSTS)).toEqual([]));
  test("on every host that has an agent", () => {
    expect(where(`${FOUR_HOSTS.replace("s1:", "spare: 10.0.0.9, s1:")}registrator: on\n`)).toEqual([
      "c1: c1",
      "s1: s1",
      "s2: s2",
      "s3: s3",
    ]);
  });
  test("once to a host with several agents: with a client, whatever its name", () => {
    expect(
      where(`${FOUR_HOSTS.replace("[c1]", `[c1, { name: web, host: s1, ${PORTS} }]`)}registrator: on\n`),
    ).toContain("s1: web");
  });
  test("with the first by name, of several clients", () => {
    const clients = `[{ name: c2, host: c1 }, { name: c1, host: c1, ${PORTS} }]`;
    expect(where(`${FOUR_HOSTS.replace("[c1]", clients)}registrator: on\n`)).toContain("c1: c1");
  });
  test("with no agent that leaves", () => {
    const leaving = `${FOUR_HOSTS.replace("[c1]", `[{ name: c1, decommission: true }, { name: web, host: s1, decommission: true, ${PORTS} }]`)}registrator: on\n`;
    expect(where(leaving)).toEqual(["s1: s1", "s2: s2", "s3: s3"]);
  });
  test("on one host alone", () => {
    expect(where(FOUR_HOSTS.replace("10.0.0.4", "{ address: 10.0.0.4, registrator: on }"))).toEqual(["c1: c1"]);
  });
  test("on all hosts but one", () => {
    expect(
      where(`${FOUR_HOSTS.replace("10.0.0.1", "{ address: 10.0.0.1, registrator: off }")}registrator: on\n`),
    ).toEqual(["c1: c1", "s2: s2", "s3: s3"]);
  });
  test("on the one host of a bridge network", () => {
    expect(
      where(`${BRIDGE}servers: [{ name: s1, host: local }]\nclients: [{ name: c1, host: local }]\nregistrator: on\n`),
    ).toEqual(["local: c1"]);
  });
});

describe("a host's own fileSettings", () => {
  const text = `${FOUR_HOSTS.replace("10.0.0.4", "{ address: 10.0.0.4, registrator: { tags: [edge], ip: 192.0.2.4, flags: [-own] } }")}registrator: { resync: 5, tags: [all], flags: [-all] }\n`;
  const fileSettings = (name: string) => of(text).find(({ host }) => host.name === name)?.fileSettings;
  test("have the last word, and its flags follow the cluster's", () => {
    expect(fileSettings("c1")).toEqual({ resync: 5, tags: ["edge"], ip: "192.0.2.4", flags: ["-all", "-own"] });
  });
  test("are no other host's", () => expect(fileSettings("s1")).toEqual({ resync: 5, tags: ["all"], flags: ["-all"] }));
});

describe("its token", () => {
  const tokens = (security: string, more: string) =>
    load(`${FOUR_HOSTS.replace("security: off", `security: ${security}`)}${more}`).security?.tokens;
  test("is there without being written, with the policy that is for it", () => {
    expect(tokens("on", "registrator: on\n")).toEqual({ registrator: { policies: ["registrator"] } });
  });
  test("is not there where nobody needs it", () => expect(tokens("on", "")).toEqual({}));
  test("has what policies the file gives it", () => {
    const written = `{ policies: { shop: 'service "shop" { policy = "write" }' }, tokens: { registrator: { policies: [shop] } } }`;
    expect(tokens(written, "registrator: on\n")).toEqual({ registrator: { policies: ["shop"] } });
  });
  test("is none in a cluster without security", () => expect(tokens("off", "registrator: on\n")).toBeUndefined());
});
