import { defineCluster } from "../../../cluster/define";
import { type Graph, graphOf } from "../../../ops/diagram/graph";
import { PHONE } from "../../../ops/diagram/layout";
import { svg } from "../../../ops/diagram/svg";
import { load } from "../../cluster-files";
import { STOPPED } from "../status/surveys";
import { clusterOf, FILES, lookedAt, manyClients, ofAllSorts, thousands } from "./clusters";
import { descendants, type Element, parseXml } from "./xml";

interface Area {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const drawn = (graph: Graph) => descendants(parseXml(svg(graph)));
const looks = ({ attributes }: Element): string[] => (attributes.class ?? "").split(" ");
const ofLook = (elements: readonly Element[], ...wanted: string[]) =>
  elements.filter((one) => looks(one).some((look) => wanted.includes(look)));

function areaOf({ name, attributes: { x, y, width, height, d } }: Element): Area {
  if (name === "rect")
    return { left: Number(x), top: Number(y), right: Number(x) + Number(width), bottom: Number(y) + Number(height) };
  const points = pointsOf(d ?? "");
  const [xs, ys] = [points.map(([one]) => one), points.map(([, one]) => one)];
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}

const pointsOf = (path: string): [number, number][] =>
  [...path.matchAll(/(-?[\d.]+) (-?[\d.]+)/g)].map(([, x, y]): [number, number] => [Number(x), Number(y)]);

/** Points along a path of lines and cubic curves. */
function along(path: string): [number, number][] {
  let [from] = pointsOf(path);
  return [...path.matchAll(/([LC])([^MLC]*)/g)].flatMap(([, kind, rest]) => {
    const [start, points] = [from as [number, number], pointsOf(rest as string)];
    const end = points.at(-1) as [number, number];
    from = end;
    const [first, second] = kind === "C" ? (points as [[number, number], [number, number]]) : [start, end];
    return Array.from({ length: 21 }, (_, step): [number, number] => {
      const t = step / 20;
      const at = (axis: 0 | 1) =>
        (1 - t) ** 3 * start[axis] +
        3 * (1 - t) ** 2 * t * first[axis] +
        3 * (1 - t) * t ** 2 * second[axis] +
        t ** 3 * end[axis];
      return [at(0), at(1)];
    });
  });
}

const overlap = (a: Area, b: Area): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
const within = (inner: Area, outer: Area): boolean =>
  outer.left <= inner.left && inner.right <= outer.right && outer.top <= inner.top && inner.bottom <= outer.bottom;
const isInside = ([x, y]: [number, number], { left, top, right, bottom }: Area, margin = 0.5): boolean =>
  left + margin < x && x < right - margin && top + margin < y && y < bottom - margin;
const isOnBorder = (point: [number, number], area: Area): boolean =>
  isInside(point, area, -1) && !isInside(point, area, 1);

const FIVE_SERVERS = `name: c
daemon: ssh://root@{address}
hosts: { s1: 10.0.0.1, s2: 10.0.0.2, s3: 10.0.0.3, s4: 10.0.0.4, s5: 10.0.0.5 }
servers: [s1, s2, s3, s4, s5]
join: [s1, s2, s3]
`;

const THOUSANDS = thousands();

describe.each([...ofAllSorts(), ...THOUSANDS])("%s", (_, graph) => {
  const elements = drawn(graph);
  const hosts = ofLook(elements, "host", "more", "address").map(areaOf);
  const agents = elements
    .filter(({ name, attributes }) => name !== "circle" && ["server", "client"].includes(attributes.class ?? ""))
    .map(areaOf);
  const joins = ofLook(elements, "join").map(({ attributes }) => attributes.d ?? "");

  test("no two hosts overlap", () => {
    expect(hosts.flatMap((one, index) => hosts.slice(index + 1).filter((other) => overlap(one, other)))).toEqual([]);
  });
  test("everything stands in the picture", () => {
    const [, , width, height] = (elements[0]?.attributes.viewBox ?? "").split(" ").map(Number) as [
      number,
      number,
      number,
      number,
    ];
    const all = elements
      .filter(
        ({ name, attributes }) =>
          name === "rect" || (name === "path" && attributes.d && looks({ attributes } as Element).includes("server")),
      )
      .map(areaOf);
    expect(all.filter((area) => !within(area, { left: 0, top: 0, right: width, bottom: height }))).toEqual([]);
    expect(joins.flatMap(along).filter(([x, y]) => x < 0 || y < 0 || x > width || y > height)).toEqual([]);
  });
  test("every arrow begins and ends at a box", () => {
    const boxes = [
      ...hosts,
      ...agents,
      ...ofLook(elements, "stack", "frame")
        .filter(({ name }) => name === "rect")
        .map(areaOf),
    ];
    // Those of the legend stand by themselves.
    const [legend] = ofLook(elements, "rule").map(({ attributes }) => Number(pointsOf(attributes.d ?? "")[0]?.[1]));
    const ends = joins
      .flatMap((path) => [pointsOf(path).at(0), pointsOf(path).at(-1)] as [number, number][])
      .filter(([, y]) => y < (legend ?? 0));
    expect(ends.length).toBeGreaterThan(5);
    expect(ends.filter((point) => !boxes.some((box) => isOnBorder(point, box)))).toEqual([]);
  });
  test("no arrow goes through a host that it is not of", () => {
    const crossed = joins.flatMap((path) => {
      const ends = [pointsOf(path).at(0), pointsOf(path).at(-1)] as [number, number][];
      const others = hosts.filter((host) => !ends.some((end) => isInside(end, host, -1)));
      return others.filter((host) => along(path).some((point) => isInside(point, host))).map(() => path);
    });
    expect(crossed).toEqual([]);
  });
  test("says what it is to those who cannot see it", () => {
    const [title, about] = [elements[1], elements[2]];
    expect([title?.name, about?.name, elements[0]?.attributes.role]).toEqual(["title", "desc", "img"]);
    expect(elements[0]?.attributes["aria-labelledby"]).toBe(`${title?.attributes.id} ${about?.attributes.id}`);
    expect(title?.text).toBe(`Consul cluster ${graph.cluster.name}`);
    expect(about?.text).toMatch(/[35] servers and \d+ clients? on \d+ hosts?.*; .* join each other/);
  });
});

describe.each(FILES)("%s", (file) => {
  const graph = graphOf(clusterOf(file));
  const elements = drawn(graph);

  test("every host is in it, with its address", () => {
    const words = elements.filter(({ name }) => name === "text").map(({ text }) => text);
    expect(graph.hosts.filter(({ name, address }) => !words.includes(name) || !words.includes(address))).toEqual([]);
    expect(ofLook(elements, "host")).toHaveLength(graph.hosts.length);
  });
  test("every agent is in it, with its role", () => {
    const titles = elements.filter(({ name }) => name === "title").map(({ text }) => text);
    expect(graph.agents.filter(({ name, role }) => !titles.includes(`${name}: ${role}`))).toEqual([]);
  });
});

test.each(THOUSANDS)("%s: can be looked at", (_, graph) => {
  const picture = svg(graph);
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(picture)?.map(Number) ?? [];
  expect(picture.length).toBeLessThan(100_000);
  expect(width).toBeLessThan(1800);
  expect(height).toBeLessThan(2500);
});

describe("a picture is as wide as a phone", () => {
  const widthOf = (graph: Graph) => Number(/viewBox="0 0 (\d+) /.exec(svg(graph))?.[1]);
  const seed = clusterOf("clusters/seed.yaml");

  test.each(["clusters/local.yaml", "clusters/production.yaml", "clusters/seed.yaml"])("of %s", (file) =>
    expect(widthOf(graphOf(clusterOf(file)))).toBe(PHONE),
  );
  test("with the state of each agent", () =>
    expect(
      widthOf(lookedAt(seed, { silent: { "consul-server2": "no answer" }, agents: { "consul-client1": STOPPED } })),
    ).toBe(PHONE));
  test("of eight agents, and not of more", () =>
    expect([5, 6].map((clients) => widthOf(graphOf(manyClients(clients))) > PHONE)).toEqual([false, true]));
  test("not of five servers, nor of names that need more room", () => {
    const graph = graphOf(seed);
    const long = graph.hosts.map((host) => ({ ...host, name: `${host.name}.example` }));
    expect(widthOf({ ...graph, hosts: long })).toBeGreaterThan(PHONE);
    expect(widthOf(graphOf(load(FIVE_SERVERS)))).toBeGreaterThan(PHONE);
  });
});

test("what has a colour of its own on a dark page has one on a light page", () => {
  const [light = "", dark = ""] = svg(graphOf(clusterOf("clusters/seed.yaml"))).split(
    "@media(prefers-color-scheme:dark)",
  );
  const selectors = (rules: string) =>
    [...rules.matchAll(/\.consul-diagram ([^{,]+)/g)].map(([, selector]) => selector);
  expect(selectors(dark).length).toBeGreaterThan(15);
  expect(
    selectors(dark).filter((selector) => selector !== "text.on-client" && !selectors(light).includes(selector)),
  ).toEqual([]);
});

describe("words are text, whatever is in them", () => {
  const awkward = `<b>&amp; "it" & 'that'`;
  const graph = graphOf(clusterOf("clusters/local.yaml"));
  const renamed: Graph = {
    ...graph,
    cluster: { ...graph.cluster, name: awkward },
    hosts: graph.hosts.map((host) => ({ ...host, state: { health: "unhealthy" as const, words: awkward } })),
  };
  const elements = drawn(renamed);
  test("in the picture's title", () => expect(elements[1]?.text).toBe(`Consul cluster ${awkward}`));
  test("where it is drawn", () => expect(ofLook(elements, "cluster").map(({ text }) => text)).toEqual([awkward]));
});

test("names that are too long are shortened in their middle, and are whole in a title", () => {
  const long = (end: string) => `${"n".repeat(60)}-${end}`;
  const cluster = defineCluster({
    name: "c",
    daemon: "ssh://root@{address}",
    hosts: { [long("a")]: "10.0.0.1", [long("b")]: "10.0.0.2" },
    servers: [long("a")],
    clients: [long("b")],
  });
  const named = ofLook(drawn(graphOf(cluster)), "title").filter(({ children }) => children.length > 0);
  expect(named.map(({ children }) => children[0]?.text)).toEqual([long("a"), long("b")]);
  for (const { text, children } of named) expect(text.slice(children[0]?.text.length)).toMatch(/^n{5,}…n{3,}-[ab]$/);
});

test("what was looked at has its state", () => {
  const graph = graphOf(clusterOf("clusters/seed.yaml"));
  const state = { health: "unhealthy" as const, words: "no voter" };
  const elements = drawn({
    ...graph,
    agents: graph.agents.map((agent) => (agent.name === "consul-server2" ? { ...agent, state } : agent)),
  });
  expect(ofLook(elements, "unhealthy")).toHaveLength(1);
  expect(elements.filter(({ name, text }) => name === "text" && text === "no voter")).toHaveLength(1);
});
