import { mermaid } from "../../../ops/diagram/mermaid";
import { svg } from "../../../ops/diagram/svg";
import { FOUR_HOSTS, load } from "../../cluster-files";
import { lookedAt, manyClients } from "../diagram/clusters";
import { descendants, parseXml } from "../diagram/xml";
import { STOPPED } from "../status/surveys";

const cluster = load(FOUR_HOSTS);
const graph = lookedAt(cluster, { agents: { s3: STOPPED }, silent: { c1: "no answer within 3.5 s" } });
const looks = (text: string) => descendants(parseXml(text)).flatMap(({ attributes }) => attributes.class ?? []);

test("what is drawn has its state, which programs get too", () => {
  expect(graph.live).toEqual({ at: "2026-11-25T12:00:00.000Z", well: false });
  expect(Object.fromEntries(graph.agents.map(({ name, state }) => [name, state]))).toEqual({
    c1: { health: "unreachable", words: "" },
    s1: { health: "healthy", words: "", leads: true },
    s2: { health: "healthy", words: "" },
    s3: { health: "unhealthy", words: "its container has exited" },
  });
  expect(graph.hosts.find(({ name }) => name === "c1")?.state).toEqual({
    health: "unreachable",
    words: "unreachable",
  });
});

test("SVG: each in its state's colour, the leader with its mark, and what the colours mean", () => {
  const drawn = svg(graph);
  const classes = looks(drawn);
  expect(
    ["server healthy", "server unhealthy", "client unreachable", "host unreachable"].map(
      (look) => classes.filter((one) => one === look).length,
    ),
  ).toEqual([2, 1, 1, 1]);
  const texts = descendants(parseXml(drawn))
    .filter(({ name }) => name === "text")
    .map(({ text }) => text);
  expect(texts.filter((text) => text.includes("★"))).toEqual(["★ server", "★"]);
  for (const words of ["its container has exited", "healthy", "unhealthy", "its host is unreachable", "leads"])
    expect(texts.join(" ")).toContain(words);
  expect(drawn).toContain("unhealthy at 2026-11-25 12:00 UTC");
});

test("Mermaid: the same", () => {
  const chart = mermaid(graph);
  for (const line of [
    "class agent_s1 healthy",
    "class agent_s3 unhealthy",
    "class agent_c1 unreachable",
    'legend_leads["★ leads"]:::host',
    "class legend_unreachable unreachable",
  ])
    expect(chart).toContain(line);
  expect(chart).toMatch(/agent_s1\{\{"s1<br>10\.0\.0\.1<br>★ server/);
});

test("the file alone has no states, and no legend of them", () => {
  const plain = {
    ...graph,
    live: undefined,
    hosts: graph.hosts.map(({ state: _, ...host }) => host),
    agents: graph.agents.map(({ state: _, ...agent }) => agent),
  };
  expect(looks(svg(plain)).join(" ")).not.toMatch(/healthy|unreachable/);
  expect(mermaid(plain)).not.toMatch(/legend_(healthy|leads)/);
});

test("of a thousand hosts, unhealthy ones are drawn before others, and counted where they are too many", () => {
  const many = manyClients(997);
  const one = lookedAt(many, { agents: { web996: STOPPED } });
  expect(svg(one)).toContain(">web996<");
  const ill = Object.fromEntries(many.agents.slice(3, 203).map(({ name }) => [name, STOPPED]));
  expect(svg(lookedAt(many, { agents: ill }))).toMatch(/>15\d unhealthy</);
});
