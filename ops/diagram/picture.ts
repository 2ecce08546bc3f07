import type { Role } from "../../consul/ports";
import { count, rolesText, securityText } from "../terminal/format";
import { type Arrow, arrowsBetween } from "./arrows";
import { type Box, Boxes } from "./boxes";
import { joinLines, particularPorts, portLines, usualListeners } from "./format";
import type { Graph, State } from "./graph";

/** The content of a picture, for any format. */
export interface Picture {
  readonly title: string;
  /** A line about the cluster. */
  readonly about: string;
  readonly security: { readonly on: boolean; readonly words: string };
  readonly boxes: readonly Box[];
  readonly addresses: readonly Box[];
  /** Undefined if there are too many: `joins` then describes them. */
  readonly arrows?: readonly Arrow[];
  /** The ports that agents listen on, unless their boxes show others. */
  readonly ports: readonly { readonly role: Role; readonly lines: readonly string[] }[];
  /** The joins, in sentences. */
  readonly joins: readonly string[];
  /** The meaning of the states' colours; empty for a picture of the file alone. */
  readonly states: readonly { readonly health: State["health"]; readonly words: string }[];
}

const STATES: Picture["states"] = [
  { health: "healthy", words: "healthy" },
  { health: "unhealthy", words: "unhealthy" },
  { health: "unreachable", words: "its host is unreachable" },
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
      ...(live ? [`${live.well ? "healthy" : "unhealthy"} at ${live.at.slice(0, 16).replace("T", " ")} UTC`] : []),
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
