import type { Role } from "../../consul/ports";
import { type Box, LEADER } from "./boxes";
import type { Graph, State } from "./graph";
import { type Picture, pictureOf } from "./picture";

const CLASSES = `
classDef server fill:#c2286e,stroke:#8f1650,color:#fff
classDef client fill:#dff2ea,stroke:#2f8f6b,color:#1d2233
classDef more fill:#f7f8fb,stroke:#9aa2b8,stroke-dasharray:2 3,color:#1d2233
classDef address fill:#fff7e0,stroke:#b98a16,color:#1d2233
classDef host fill:#fff,stroke:#b6bdd0,color:#1d2233
classDef stack fill:#eef0f6,stroke:#cdd2e0,color:#1d2233
classDef clients fill:none,stroke:#8a93ab,stroke-dasharray:5 4,color:#1d2233
classDef all fill:#fff,stroke:#56658f,color:#1d2233
classDef step fill:#1d2233,stroke:#1d2233,color:#fff
classDef leaving stroke-dasharray:5 3
classDef healthy stroke:#1f9d55,stroke-width:3px
classDef unhealthy fill:#ffe3e0,stroke:#d62828,stroke-width:3px,color:#1d2233
classDef unreachable fill:#e3e5ec,stroke:#5b6478,stroke-width:3px,stroke-dasharray:6 4,color:#1d2233
`.trim();
const COLUMNS = 4;

/** A cluster as a Mermaid flowchart. An agent is above those that join it, and a stack is above those that are deployed after it. */
export function mermaid(graph: Graph): string {
  const picture = pictureOf(graph);
  const { title, about, security, boxes, addresses, arrows = [], joins } = picture;
  const steps = boxes.filter(({ kind }) => kind === "step");
  const sources = new Set(arrows.map(({ from }) => from));
  const ends = new Map([...addresses, ...boxes].flatMap(withInner).map((box) => [box.id, endOf(box)]));
  const lines = [
    "---",
    `title: ${JSON.stringify(`Consul cluster ${title}: ${about} · ${security.words}`)}`,
    "---",
    "flowchart BT",
    `accTitle: Consul cluster ${title}`,
    `accDescr: ${joins.join(", ")}`,
    ...CLASSES.split("\n"),
    ...[...addresses, ...boxes].flatMap((box) => drawn(box, sources)),
    ...arrows.map(({ from, to, mutual }) => `${ends.get(from)} ${mutual ? "<-->" : "-->"} ${ends.get(to)}`),
    ...steps.slice(1).map((step, index) => `${numberOf(step)} -. after .-> ${numberOf(steps[index] as Box)}`),
    ...legend(picture),
  ];
  return `${lines.join("\n")}\n`;
}

/** Mermaid's layout fails for arrows at boxes that contain boxes. A box of several has a node that stands for all of them. */
function endOf(box: Box): string {
  const [only, ...others] = nodesOf(box);
  return only !== undefined && others.length === 0 ? only : `all_of_${box.id}`;
}
const nodesOf = (box: Box): string[] => (box.children.length === 0 ? [box.id] : box.children.flatMap(nodesOf));
const withInner = (box: Box): Box[] => [box, ...box.children.flatMap(withInner)];
const numberOf = ({ title }: Box): string => `number_${title}`;

function drawn(box: Box, sources: ReadonlySet<string>): string[] {
  const { id, kind, title, lines, children } = box;
  const [only] = children;
  if (only === undefined) return node(id, [title, ...lines], box);
  // Mermaid has no room below a box's title for a second line.
  if (kind === "host" && children.length === 1)
    return node(only.id, [title, ...lines, only.title, ...only.lines], only, only.state ?? box.state);
  const inner = children.flatMap((child) => drawn(child, sources));
  const source = sources.has(id) && nodesOf(box).length > 1;
  if (kind === "clients" && !source) return [...inner, ...inColumns(children)];
  const above = [
    "direction BT",
    ...(kind === "step" ? [`${numberOf(box)}(("${title}")):::step`] : []),
    ...(source ? [`${endOf(box)}(["all of these"]):::all`] : []),
  ];
  const hasServer = box.agents.some(({ role }) => role === "server");
  const below = hasServer ? [] : inColumns(children, source ? endOf(box) : undefined);
  const words = kind === "step" ? `step ${title}` : [title, ...lines].join(" · ") || " ";
  return [
    `subgraph ${id}[${label([words])}]`,
    ...[...above, ...inner, ...below].map((line) => `  ${line}`),
    "end",
    ...looks(id, [kind === "step" ? "clients" : kind], box.state),
  ];
}

/** Mermaid puts nodes without arrows between them beside each other. Invisible links make rows. */
function inColumns(boxes: readonly Box[], above?: string): string[] {
  const links = boxes
    .slice(COLUMNS)
    .map((box, index) => `${nodesOf(box).at(0)} ~~~ ${nodesOf(boxes[index] as Box).at(-1)}`);
  return [...(above ? boxes.slice(0, COLUMNS).map((box) => `${nodesOf(box).at(0)} ~~~ ${above}`) : []), ...links];
}

function node(id: string, lines: readonly string[], box: Box, state = box.state): string[] {
  const [agent] = box.kind === "agent" ? box.agents : [];
  return [
    `${id}${shaped(agent?.role, lines)}`,
    ...looks(id, [agent?.role ?? box.kind, ...(agent?.decommission ? ["leaving"] : [])], state),
  ];
}

const looks = (id: string, classes: readonly string[], state: State | undefined): string[] =>
  [...classes, ...(state === undefined ? [] : [state.health])].map((look) => `class ${id} ${look}`);

/** Servers have corners, clients are round. */
function shaped(role: Role | undefined, lines: readonly string[]): string {
  const words = label(lines);
  return role === undefined ? `[${words}]` : role === "server" ? `{{${words}}}` : `([${words}])`;
}

function legend({ ports, arrows, joins, states }: Picture): string[] {
  const portNodes = ports.map(({ role, lines }) => `legend_${role}${shaped(role, [role, ...lines])}:::${role}`);
  const joining = arrows ? [] : [`legend_joins${shaped(undefined, joins)}:::more`];
  const signs = [...states, ...(states.length > 0 ? [{ health: "leads", words: `${LEADER} leads` }] : [])];
  const coloured = signs.flatMap(({ health, words }) => [
    `legend_${health}${shaped(undefined, [words])}:::host`,
    ...(health === "leads" ? [] : [`class legend_${health} ${health}`]),
  ]);
  return [
    `subgraph legend["unless a box shows something else"]`,
    ...[...portNodes, ...joining, ...coloured].map((line) => `  ${line}`),
    "end",
    "class legend clients",
  ];
}

const ENTITIES: Record<string, string> = { '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "#": "#35;" };

/** Lines of text, in quotes. */
const label = (lines: readonly string[]): string =>
  `"${lines.map((line) => line.replace(/["<>&#]/g, (sign) => ENTITIES[sign] as string)).join("<br>")}"`;
