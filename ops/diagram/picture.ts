import type { Role } from "../../consul/ports";
import {
  count,
  joinLines,
  particularPorts,
  portLines,
  rolesText,
  securityText,
  usualListeners,
} from "../terminal/format";
import { type Arrow, arrowsBetween } from "./arrows";
import { type Box, Boxes } from "./boxes";
import type { Graph, State } from "./graph";

/** What is drawn, and what is said of it, in any format. */
export interface Picture {
  readonly title: string;
  /** What cluster it is, in a line. */
  readonly about: string;
  readonly security: { readonly on: boolean; readonly words: string };
  readonly boxes: readonly Box[];
  readonly addresses: readonly Box[];
  /** Undefined when they are too many: then `joins` tells. */
  readonly arrows?: readonly Arrow[];
  /** What agents listen for, unless their boxes say otherwise. */
  readonly ports: readonly { readonly role: Role; readonly lines: readonly string[] }[];
  /** Who joins whom, in words. */
  readonly joins: readonly string[];
  /** What the colours of states mean; none where nothing was looked at. */
  readonly states: readonly { readonly health: State["health"]; readonly words: string }[];
}

const STATES: Picture["states"] = [
  { health: "well", words: "well" },
  { health: "unwell", words: "not well" },
  { health: "unreachable", words: "its host does not answer" },
];

export function pictureOf(graph: Graph): Picture {
  const { name, datacenter, security, subnet } = graph.cluster;
  const bridged = subnet !== undefined;
  const usual = { server: usualListeners(graph.agents, "server"), client: usualListeners(graph.agents, "client") };
  const { all, addresses } = new Boxes(graph, (agent) => particularPorts(agent, usual[agent.role], bridged));
  const { live } = graph;
  const size = `${rolesText(graph.agents)} on ${count(graph.hosts.length, "host")}`;
  return {
    title: name,
    about: [
      size,
      `datacenter ${datacenter}`,
      ...(bridged ? [`bridge network ${subnet}`] : []),
      ...(live ? [`${live.well ? "well" : "not well"} at ${live.at.slice(0, 16).replace("T", " ")} UTC`] : []),
    ].join(" · "),
    states: live ? STATES : [],
    security: { on: security !== "off", words: securityText(security) },
    boxes: all,
    addresses,
    arrows: arrowsBetween(graph.joins, all, addresses),
    ports: (["server", "client"] as const)
      .map((role) => ({ role, lines: portLines(usual[role], bridged) }))
      .filter(({ lines }) => lines.length > 0),
    joins: joinLines(graph.joins),
  };
}
