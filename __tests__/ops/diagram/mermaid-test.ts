import { graphOf } from "../../../ops/diagram/graph";
import { mermaid } from "../../../ops/diagram/mermaid";
import { clusterOf, FILES, ofAllSorts, thousands } from "./clusters";

const ID = "[a-z][a-z0-9_]*";
/** No quote, bracket of HTML or entity but those that are meant. */
const LABEL = '"(?:[^"<>&#]|<br>|#(?:quot|lt|gt|amp|35);)+"';
const FORMS = {
  node: new RegExp(
    `^(${ID})(?:\\[${LABEL}\\]|\\{\\{${LABEL}\\}\\}|\\(\\[${LABEL}\\]\\)|\\(\\(${LABEL}\\)\\))(?::::(${ID}))?$`,
  ),
  subgraph: new RegExp(`^subgraph (${ID})\\[${LABEL}\\]$`),
  link: new RegExp(`^(${ID}) (?:-->|<-->|~~~|-\\. after \\.->) (${ID})$`),
  look: new RegExp(`^class (${ID}) (${ID})$`),
  define: new RegExp(`^classDef (${ID}) [a-z0-9#:, -]+$`),
};

interface Chart {
  readonly nodes: readonly string[];
  readonly subgraphs: readonly string[];
  readonly links: readonly (readonly [from: string, to: string])[];
  readonly classes: readonly string[];
  readonly used: readonly string[];
}

/**
 * Reads what `mermaid` writes, line by line, each in one of the forms that Mermaid has.
 * @throws for a line in another
 */
function parse(chart: string): Chart {
  const lines = chart.trimEnd().split("\n");
  const head = [/^---$/, /^title: ".+"$/, /^---$/, /^flowchart BT$/, /^accTitle: .+$/, /^accDescr: .+$/];
  for (const [index, form] of head.entries())
    if (!form.test(lines[index] ?? "")) throw new Error(`line ${index + 1}: ${lines[index]}`);
  const read = {
    nodes: [] as string[],
    subgraphs: [] as string[],
    links: [] as [string, string][],
    classes: [] as string[],
    used: [] as string[],
  };
  let depth = 0;
  for (const line of lines.slice(head.length).map((one) => one.trim())) {
    const of = (form: keyof typeof FORMS) => FORMS[form].exec(line);
    const [node, subgraph, link, look, define] = [of("node"), of("subgraph"), of("link"), of("look"), of("define")];
    if (line === "end") depth--;
    else if (subgraph) depth++;
    if (node) read.nodes.push(node[1] as string);
    if (node?.[2]) read.used.push(node[2]);
    if (subgraph) read.subgraphs.push(subgraph[1] as string);
    if (link) read.links.push([link[1] as string, link[2] as string]);
    if (look) read.used.push(look[2] as string);
    if (define) read.classes.push(define[1] as string);
    if (depth < 0 || !(node || subgraph || link || look || define || ["end", "direction BT"].includes(line)))
      throw new Error(`not Mermaid: ${line}`);
  }
  if (depth !== 0) throw new Error("a subgraph does not end");
  return read;
}

describe.each([...ofAllSorts(), ...thousands()])("%s", (_, graph) => {
  const { nodes, subgraphs, links, classes, used } = parse(mermaid(graph));

  test("each id is declared once", () =>
    expect(new Set([...nodes, ...subgraphs]).size).toBe(nodes.length + subgraphs.length));
  test("links are between nodes, with whose layout Mermaid has no trouble", () => {
    expect(links.flat().filter((id) => !nodes.includes(id))).toEqual([]);
    expect(links.length).toBeGreaterThan(5);
  });
  test("what is given looks is there, and so are the looks", () =>
    expect(used.filter((look) => !classes.includes(look))).toEqual([]));
  test("is within Mermaid's own bounds: 50 000 letters, 500 links", () => {
    expect(mermaid(graph).length).toBeLessThan(50_000);
    expect(links.length).toBeLessThan(500);
  });
});

describe.each(FILES)("%s", (file) => {
  const graph = graphOf(clusterOf(file));
  const chart = mermaid(graph);
  test("every host is in it, with its address", () => {
    expect(
      graph.hosts.filter(
        ({ name, address }) => !new RegExp(`${name}(<br>| · )${address.replaceAll(".", "\\.")}`).test(chart),
      ),
    ).toEqual([]);
  });
  test("every agent is in it: servers with corners, clients round", () => {
    const form = { server: "\\{\\{", client: "\\(\\[" };
    expect(
      graph.agents.filter(
        ({ name, role }) => !new RegExp(`agent_${name.replaceAll("-", "_")}${form[role]}`).test(chart),
      ),
    ).toEqual([]);
  });
});

test("stacks are in the order of their deployment", () => {
  const { links } = parse(mermaid(graphOf(clusterOf("e2e/clusters/racks.yaml"))));
  expect(links.filter(([from]) => from.startsWith("number_"))).toEqual([
    ["number_2", "number_1"],
    ["number_3", "number_2"],
  ]);
});

test("clients that join the same servers have one set of arrows", () => {
  const { links } = parse(mermaid(graphOf(clusterOf("clusters/production.yaml"))));
  expect(links.filter(([from]) => !from.startsWith("agent_consul"))).toEqual([
    ["agent_web1", "all_of_clients_with_host_web1"],
    ["agent_web2", "all_of_clients_with_host_web1"],
    ["all_of_clients_with_host_web1", "agent_consul_server1"],
    ["all_of_clients_with_host_web1", "agent_consul_server2"],
    ["all_of_clients_with_host_web1", "agent_consul_server3"],
  ]);
});

test("words are text, whatever is in them", () => {
  const graph = graphOf(clusterOf("clusters/seed.yaml"));
  const state = { health: "unhealthy" as const, words: `<b>&amp; "it" #1` };
  const chart = mermaid({ ...graph, agents: graph.agents.map((agent) => ({ ...agent, state })) });
  expect(parse(chart).used.filter((look) => look === "unhealthy")).toHaveLength(4);
  expect(chart).toContain("<br>#lt;b#gt;#amp;amp; #quot;it#quot; #35;1");
});
