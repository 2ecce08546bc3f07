import { addressInSubnet, bracketed } from "../../consul/address";
import { declaredVolume, imageId } from "../../consul/contract";
import type { AgentDescription, Draft } from "../model";
import type { Violation } from "../problem";
import { usesRegistrator } from "../resolve/registrator";
import { settingPath } from "./paths";

/** Names, addresses and Terraform ids must be unique. */
export const nameProblems = (draft: Draft): Violation[] => [
  ...uniqueNames(draft),
  ...dataAmongDeclared(draft),
  ...uniqueHosts(draft),
  ...uniqueGossip(draft),
  ...containerNames(draft),
  ...uniqueImages(draft),
  ...uniqueInSubnet(draft),
  ...networkName(draft),
];

function uniqueNames(draft: Draft): Violation[] {
  return [
    ...repeated(
      draft,
      "duplicate-name",
      (agent) => agent.name,
      (agent, first) => [
        `"${agent.name}" is the name of ${first.role} and ${agent.role}`,
        "give each agent a name of its own",
      ],
    ),
    ...repeated(
      draft,
      "duplicate-name",
      (agent) => agent.node,
      (agent, first) => [
        `"${agent.node}" is the node name of "${first.name}" and "${agent.name}"`,
        "give each agent a node name of its own",
      ],
      "node",
    ),
    ...repeated(
      draft,
      "duplicate-container",
      (agent) => `${agent.host.daemon.url} ${agent.container}`,
      (agent, first) => [
        `"${agent.container}" is the container of "${first.name}" and "${agent.name}" on host "${agent.host.name}"`,
        "give one of them another `container:`",
      ],
      "container",
    ),
    ...repeated(
      draft,
      "duplicate-volume",
      (agent) => `${agent.host.daemon.url} ${agent.data.replace(/\/+/g, "/").replace(/\/$/, "")}`,
      (agent, first) => [
        `"${agent.name}" and "${first.name}" would both store their data in "${agent.data}" on host "${agent.host.name}"`,
        "give one of them another `data:`",
      ],
      "data",
    ),
  ];
}

/** Agents that have the same key as an earlier agent. Two agents with one name are reported once, for their name. */
function repeated(
  { agents }: Draft,
  code: Violation["code"],
  keyOf: (agent: AgentDescription) => string,
  textsOf: (agent: AgentDescription, first: AgentDescription) => [message: string, hint: string],
  key?: string,
): Violation[] {
  const firsts = new Map<string, AgentDescription>();
  return agents.flatMap((agent) => {
    const first = firsts.get(keyOf(agent));
    if (!first) firsts.set(keyOf(agent), agent);
    if (!first || (key && first.name === agent.name)) return [];
    const [message, hint] = textsOf(agent, first);
    return [{ code, path: key ? [...agent.path, key] : agent.path, message, hint }];
  });
}

/** An agent loads every file in the volume of its declared services. */
function dataAmongDeclared({ agents }: Draft): Violation[] {
  const keeper = new Map(
    agents.map(({ host, container, name }) => [`${host.daemon.url} ${declaredVolume(container)}`, name]),
  );
  return agents.flatMap((agent): Violation[] => {
    const other = keeper.get(`${agent.host.daemon.url} ${agent.data}`);
    if (other === undefined) return [];
    const message = `"${agent.name}" would store its data in "${agent.data}", which has the declared services of "${other}"`;
    return [{ code: "duplicate-volume", path: [...agent.path, "data"], message, hint: "choose another `data:`" }];
  });
}

/** Unknown placeholders are reported elsewhere. */
const isWhole = (url: string): boolean => !url.includes("{");

function uniqueHosts({ hosts }: Draft): Violation[] {
  const byAddress = new Map<string, string>();
  const byDaemon = new Map<string, string>();
  return hosts.flatMap(({ name, address, daemon }) => {
    const problems: Violation[] = [];
    const sameAddress = byAddress.get(address);
    const sameDaemon = byDaemon.get(daemon.url);
    if (sameAddress !== undefined) {
      problems.push({
        code: "duplicate-address",
        path: ["hosts", name],
        message: `hosts "${sameAddress}" and "${name}" have the same address, ${address}`,
        hint: "give each host its own address",
      });
    } else if (sameDaemon !== undefined && isWhole(daemon.url)) {
      problems.push({
        code: "duplicate-daemon",
        path: ["hosts", name],
        message: `hosts "${sameDaemon}" and "${name}" have the same Docker daemon, ${daemon.url}`,
        hint: "give each host its own daemon (`{address}` in the cluster's `daemon:` stands for the host's), or put both agents on one host",
      });
    }
    byAddress.set(address, name);
    byDaemon.set(daemon.url, name);
    return problems;
  });
}

/**
 * Agents that advertise or bind to one address: an agent that joins one would join the other. A host's address is
 * reported for the host.
 */
function uniqueGossip(draft: Draft): Violation[] {
  const firsts = new Map<string, AgentDescription>();
  const problems = draft.agents.flatMap((agent): Violation[] => {
    const { address, port } = agent.gossip;
    const at = `${bracketed(address)}:${port}`;
    const first = firsts.get(at);
    if (!first) firsts.set(at, agent);
    const own = [agent, first].find(
      (one) => one && (one.fileSettings.advertise_addr ?? one.fileSettings.bind_addr) !== undefined,
    );
    if (!first || !own) return [];
    return [
      {
        code: "duplicate-address",
        path: settingPath(draft, own, own.advertiseAddr === undefined ? "bind_addr" : "advertise_addr"),
        message: `"${first.name}" and "${agent.name}" are both reached at ${at}`,
        hint: "give each agent its own address, or its own `ports.serf_lan`",
      },
    ];
  });
  return problems;
}

/** Images of a host have ids <host>_..., as the host itself and its registrator: <host>_host, <host>_registrator. */
const HOST_ID = "host";
const REGISTRATOR_ID = "registrator";

function uniqueImages({ file }: Draft): Violation[] {
  const byId = new Map([
    [HOST_ID, "a host"],
    ...(usesRegistrator(file) ? [[REGISTRATOR_ID, "registrator's own image"] as const] : []),
  ]);
  return file.images.flatMap((image, index): Violation[] => {
    const other = byId.get(imageId(image)) ?? image;
    byId.set(imageId(image), other);
    if (other === image) return [];
    return [
      {
        code: "colliding-ids",
        path: ["images", index],
        message: `"${other}" and "${image}" would both have a Terraform id that ends in ${imageId(image)}`,
        hint: "name one of them by its digest",
      },
    ];
  });
}

/** In a bridge network, an agent's address is derived from its name. */
function uniqueInSubnet(draft: Draft): Violation[] {
  if (draft.file.network !== "bridge") return [];
  const { subnet } = draft.file;
  return repeated(
    draft,
    "colliding-ids",
    ({ name }) => addressInSubnet(subnet, name),
    ({ name }, first) => [
      `"${first.name}" and "${name}" would both have ${addressInSubnet(subnet, name)} in the bridge network, because addresses are derived from names`,
      "give one of them another `name:`; `container:`, `node:` and `hostname:` can stay the same",
    ],
    "name",
  );
}

/** Docker rejects names of one character. Consul does not. */
function containerNames({ agents }: Draft): Violation[] {
  return agents
    .filter(({ container }) => container.length < 2)
    .map((agent) => ({
      code: "invalid-name",
      path: agent.path,
      message: `"${agent.container}" is too short for a container's name`,
      hint: "use two characters or more, or set `container:`",
    }));
}

/** A bridge network has the cluster's name, which must not be that of one of Docker's networks. */
function networkName({ file }: Draft): Violation[] {
  if (file.network !== "bridge" || !["bridge", "host", "none"].includes(file.name)) return [];
  return [
    {
      code: "invalid-name",
      path: ["name"],
      message: `"${file.name}" is one of Docker's own networks, and the bridge network of a cluster has the cluster's name`,
      hint: "give the cluster another name",
    },
  ];
}
