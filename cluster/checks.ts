import { bracketed, family, isLoopback, isTemplate, isWildcard, whyUnreachable } from "./address";
import { configProblems, flagProblems } from "./consul-settings";
import { imageId, stackName } from "./ids";
import { effectivePorts, listeners } from "./ports";
import type { KeyPath, Problem } from "./problem";
import { type Draft, JOIN_ALL_UP_TO } from "./resolve";
import { backendProblems } from "./state-backend";

/** What needs more than one key to see. Each check is named after what it protects. */
export function checkCluster(draft: Draft): Problem[] {
  return [
    ...quorum(draft),
    ...joins(draft),
    ...uniqueNames(draft),
    ...uniqueHosts(draft),
    ...uniqueGossip(draft),
    ...uniqueImages(draft),
    ...addresses(draft),
    ...freePorts(draft),
    ...settings(draft),
    ...bridge(draft),
    ...containerNames(draft),
    ...exposure(draft),
    ...stackSizes(draft),
    ...backendProblems(draft.file.backend, stackNames(draft)),
  ];
}

type DraftAgent = Draft["agents"][number];

const serversOf = (draft: Draft) => draft.agents.filter(({ role }) => role === "server");

/** Where a setting is written: with the agent, or else for the whole cluster. */
function settingPath({ file }: Draft, agent: DraftAgent, ...keys: string[]): KeyPath {
  const own = [...agent.path, ...keys];
  return valueAt(file, own) === undefined && valueAt(file, keys) !== undefined ? keys : own;
}

const valueAt = (value: unknown, path: KeyPath): unknown =>
  path.reduce<unknown>((at, key) => (typeof at === "object" && at !== null ? (at as Record<string, unknown>)[key] : undefined), value);

/** @see https://developer.hashicorp.com/consul/docs/architecture/consensus#deployment-table */
function quorum(draft: Draft): Problem[] {
  const { file, bootstrapExpect } = draft;
  const count = file.servers.length;
  const problems: Problem[] = [];
  if (count === 2) {
    problems.push({
      code: "two-servers",
      path: ["servers"],
      message: "two servers need both for a quorum: the loss of either stops all writes, which is worse than one server",
      mend: "use one server or three, or take the risk with `accept: [two-servers]`",
    });
  } else if (count % 2 === 0) {
    problems.push({
      code: "even-servers",
      path: ["servers"],
      message: `${count} servers bear the loss of ${count / 2 - 1}, as ${count - 1} do`,
      mend: `use ${count - 1} or ${count + 1} servers`,
    });
  }
  const place: KeyPath = file.bootstrap_expect === undefined ? ["servers"] : ["bootstrap_expect"];
  if (bootstrapExpect > count) {
    problems.push({
      code: "bootstrap-expect",
      path: place,
      message: `bootstrap_expect is ${bootstrapExpect}, but there are ${count} servers: they would wait for ever`,
      mend: `leave it out, or use at most ${count}`,
    });
  } else if (bootstrapExpect * 2 <= count) {
    problems.push({
      code: "bootstrap-expect",
      path: place,
      message: `bootstrap_expect is ${bootstrapExpect} of ${count} servers, which is no majority: two halves could each elect a leader`,
      mend: `leave it out, or use at least ${Math.floor(count / 2) + 1}`,
    });
  }
  return problems;
}

function joins(draft: Draft): Problem[] {
  const { file } = draft;
  if (file.servers.length > JOIN_ALL_UP_TO && !file.join) {
    return [
      {
        code: "join-needed",
        path: ["servers"],
        message: `with ${file.servers.length} servers the file must say whom agents join, so that a further server restarts none of them`,
        mend: `add \`join: [${[...serversOf(draft)]
          .map(({ name }) => name)
          .sort()
          .slice(0, JOIN_ALL_UP_TO)
          .join(", ")}]\``,
      },
    ];
  }
  if (draft.agents.length === 1) return [];
  return draft.agents
    .filter(({ role, join }) => join.length === 0 && !(role === "server" && file.servers.length === 1))
    .filter(() => draft.problems.every(({ code }) => code !== "unknown-join" && code !== "unknown-host"))
    .map((agent) => ({
      code: "self-join",
      path: settingPath(draft, agent, "join"),
      message: `${agent.role} "${agent.name}" has nobody but itself to join: joining oneself succeeds, and Consul then stops trying`,
      mend: "name a further server under `join:`",
    }));
}

function uniqueNames(draft: Draft): Problem[] {
  return [
    ...repeated(
      draft,
      "duplicate-name",
      (agent) => agent.name,
      (agent, first) => [`"${agent.name}" is the name of ${first.role} and ${agent.role}`, "give each agent a name of its own"],
    ),
    ...repeated(
      draft,
      "duplicate-name",
      (agent) => agent.node,
      (agent, first) => [`"${agent.node}" is the node name of "${first.name}" and "${agent.name}"`, "give each agent a node name of its own"],
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
      (agent) => `${agent.host.daemon.url} ${agent.data}`,
      (agent, first) => [
        `"${agent.name}" and "${first.name}" would keep their data in one place, "${agent.data}", on host "${agent.host.name}"`,
        "give one of them another `data:`",
      ],
      "data",
    ),
  ];
}

/** Agents that share a key with an earlier one. A second agent of one name is said once, as that. */
function repeated(
  { agents }: Draft,
  code: Problem["code"],
  keyOf: (agent: DraftAgent) => string,
  words: (agent: DraftAgent, first: DraftAgent) => [message: string, mend: string],
  key?: string,
): Problem[] {
  const firsts = new Map<string, DraftAgent>();
  return agents.flatMap((agent) => {
    const first = firsts.get(keyOf(agent));
    if (!first) firsts.set(keyOf(agent), agent);
    if (!first || (key && first.name === agent.name)) return [];
    const [message, mend] = words(agent, first);
    return [{ code, path: key ? [...agent.path, key] : agent.path, message, mend }];
  });
}

function uniqueHosts({ hosts }: Draft): Problem[] {
  const byAddress = new Map<string, string>();
  const byDaemon = new Map<string, string>();
  return hosts.flatMap(({ name, address, daemon }) => {
    const problems: Problem[] = [];
    const sameAddress = byAddress.get(address);
    const sameDaemon = byDaemon.get(daemon.url);
    if (sameAddress !== undefined) {
      problems.push({
        code: "duplicate-address",
        path: ["hosts", name],
        message: `hosts "${sameAddress}" and "${name}" have one address, ${address}`,
        mend: "give each host its own address",
      });
    } else if (sameDaemon !== undefined) {
      problems.push({
        code: "duplicate-daemon",
        path: ["hosts", name],
        message: `hosts "${sameDaemon}" and "${name}" are on one Docker daemon, ${daemon.url}`,
        mend: "give each host its own daemon (`{address}` in the cluster's `daemon:` stands for the host's), or put both agents on one host",
      });
    }
    byAddress.set(address, name);
    byDaemon.set(daemon.url, name);
    return problems;
  });
}

/** Agents that advertise or bind to one address: joining the one would be joining the other. What hosts share is said of them. */
function uniqueGossip(draft: Draft): Problem[] {
  const firsts = new Map<string, DraftAgent>();
  const problems = draft.agents.flatMap((agent): Problem[] => {
    const { address, port } = agent.gossip;
    const at = `${bracketed(address)}:${port}`;
    const first = firsts.get(at);
    if (!first) firsts.set(at, agent);
    const own = [agent, first].find((one) => one && (one.settings.advertise ?? one.settings.bind) !== undefined);
    if (!first || !own) return [];
    return [
      {
        code: "duplicate-address",
        path: settingPath(draft, own, own.settings.advertise === undefined ? "bind" : "advertise"),
        message: `"${first.name}" and "${agent.name}" are both reached at ${at}`,
        mend: "give each agent its own address, or its own `ports.serf_lan`",
      },
    ];
  });
  return problems;
}

/** A host itself has the id <host>_host. */
const HOST_ID = "host";

function uniqueImages({ file }: Draft): Problem[] {
  const byId = new Map<string, string>([[HOST_ID, "a host"]]);
  return file.images.flatMap((image, index): Problem[] => {
    const other = byId.get(imageId(image)) ?? image;
    byId.set(imageId(image), other);
    if (other === image) return [];
    return [
      {
        code: "colliding-ids",
        path: ["images", index],
        message: `"${other}" and "${image}" would both have a Terraform id that ends in ${imageId(image)}`,
        mend: "name one of them by its digest",
      },
    ];
  });
}

function addresses(draft: Draft): Problem[] {
  const alone = draft.hosts.length === 1;
  const problems: Problem[] = [];
  const refuse = (path: KeyPath, value: string, why: string) =>
    problems.push({ code: "invalid-address", path, message: `${value} ${why}`, mend: "use an IP address by which the other agents reach this one" });

  for (const { name, address } of draft.hosts) {
    const why = whyUnreachable(address, { loopbackAllowed: alone });
    if (why) refuse(typeof draft.file.hosts[name] === "string" ? ["hosts", name] : ["hosts", name, "address"], address, why);
  }
  for (const agent of draft.agents) {
    for (const key of ["bind", "advertise"] as const) {
      const value = agent.settings[key];
      if (value === undefined || isTemplate(value)) continue;
      if (key === "bind" && isWildcard(value) && agent.settings.advertise !== undefined) continue;
      const why = whyUnreachable(value, { loopbackAllowed: alone });
      if (why) refuse(settingPath(draft, agent, key), value, why);
    }
    const client = agent.settings.client?.split(/\s+/).find((address) => !family(address));
    if (client !== undefined) {
      problems.push({
        code: "invalid-address",
        path: settingPath(draft, agent, "client"),
        message: `"${client}" is no IP address that HTTP and DNS can listen on`,
        mend: "use IP addresses, separated by spaces: 127.0.0.1 172.16.8.120",
      });
    }
  }
  const families = new Set(draft.hosts.map(({ address }) => family(address)).filter(Boolean));
  if (families.size > 1) {
    const first = family(draft.hosts[0]?.address ?? "");
    const other = draft.hosts.find(({ address }) => family(address) !== first);
    problems.push({
      code: "mixed-families",
      path: ["hosts", other?.name ?? ""],
      message: `host "${other?.name}" has an address of another family than "${draft.hosts[0]?.name}": their agents cannot reach each other`,
      mend: "use IPv4 addresses for all hosts, or IPv6 for all",
    });
  }
  return unique(problems);
}

/** A cluster-wide setting that is wrong is wrong for every agent, but said once. */
function unique(problems: Problem[]): Problem[] {
  const seen = new Map(problems.map((problem) => [JSON.stringify([problem.code, problem.path, problem.message]), problem]));
  return [...seen.values()];
}

function freePorts(draft: Draft): Problem[] {
  const taken = new Map<string, { address: string; words: string; agent: DraftAgent }[]>();
  return draft.agents.flatMap((agent) =>
    listening(draft, agent).flatMap(({ within, section, key, port, addresses }) => {
      const words = `${key} of "${agent.name}"`;
      const at = `${within} ${port}`;
      const others = taken.get(at) ?? [];
      const clash = others.find((other) => addresses.some((address) => overlap(address, other.address)));
      taken.set(at, [...others, ...addresses.map((address) => ({ address, words, agent }))]);
      if (!clash) return [];
      const problem: Problem = {
        code: "port-clash",
        path: settingPath(draft, agent, section, key),
        message: `port ${port} ${within} is taken twice: ${clash.words} and ${words}`,
        mend: `give one of them another port under \`${section}:\``,
      };
      return [problem];
    }),
  );
}

const overlap = (a: string, b: string): boolean => a === b || isWildcard(a) || isWildcard(b);

interface Listener {
  /** Where no other may have its port: on a host, or in a container of a bridge network. */
  readonly within: string;
  readonly section: "ports" | "publish";
  readonly key: string;
  readonly port: number;
  readonly addresses: readonly string[];
}

function listening({ file }: Draft, { name, role, host, settings }: DraftAgent): Listener[] {
  const bridged = file.network === "bridge";
  const onHost = `on host "${host.name}"`;
  const client = (settings.client ?? (bridged ? "0.0.0.0" : "127.0.0.1")).split(/\s+/);
  const own = listeners(role, effectivePorts(role, settings.ports)).map(
    ({ name: key, port, at }): Listener => ({
      within: bridged ? `in the container of "${name}"` : onHost,
      section: "ports",
      key,
      port,
      addresses: at === "client" ? client : [settings.bind ?? (bridged ? "0.0.0.0" : host.address)],
    }),
  );
  const published = bridged ? Object.entries(settings.publish ?? {}) : [];
  return [...own, ...published.map(([key, port]): Listener => ({ within: onHost, section: "publish", key, port, addresses: [host.address] }))];
}

function settings(draft: Draft): Problem[] {
  const { file } = draft;
  const places = [{ path: [] as KeyPath, own: file }, ...draft.agents.map(({ path }) => ({ path, own: valueAt(file, path) as typeof file }))];
  return places.flatMap(({ path, own }) => [...configProblems(own.config, [...path, "config"]), ...flagProblems(own.flags, [...path, "flags"])]);
}

/** Docker refuses a name of one character, which is a name to Consul. */
function containerNames({ agents }: Draft): Problem[] {
  return agents
    .filter(({ container }) => container.length < 2)
    .map((agent) => ({
      code: "invalid-name",
      path: agent.path,
      message: `"${agent.container}" is too short to be a container's name`,
      mend: "use two characters or more, or give it a `container:`",
    }));
}

function bridge(draft: Draft): Problem[] {
  const { file, hosts, agents } = draft;
  if (file.network === "bridge") {
    if (hosts.length <= 1) return publishedButOff(draft);
    return [
      {
        code: "bridge-hosts",
        path: ["network"],
        message: `a bridge network ends at its daemon, but there are ${hosts.length} hosts`,
        mend: "use `network: host` for several hosts, or keep one host",
      },
    ];
  }
  return unique(
    agents
      .filter(({ settings }) => settings.publish !== undefined)
      .map((agent) => ({
        code: "owned-setting" as const,
        path: settingPath({ file } as Draft, agent, "publish"),
        message: "`publish` is for bridged agents: in the host's network, ports are the host's already",
        mend: "remove `publish`, or set `ports`",
      })),
  );
}

function publishedButOff(draft: Draft): Problem[] {
  return draft.agents.flatMap((agent) => {
    const ports = effectivePorts(agent.role, agent.settings.ports);
    return (Object.keys(agent.settings.publish ?? {}) as (keyof typeof ports)[])
      .filter((key) => ports[key] <= 0)
      .map(
        (key): Problem => ({
          code: "invalid-value",
          path: settingPath(draft, agent, "publish", key),
          message: `${key} of "${agent.name}" is published, but the agent does not listen for it`,
          mend: `give it a port, as in \`ports: { ${key}: 8501 }\`, or publish another`,
        }),
      );
  });
}

function exposure(draft: Draft): Problem[] {
  const plain = draft.hosts
    .filter(({ daemon }) => daemon.kind === "plain")
    .map(({ name, daemon }): Problem => {
      const own = [valueAt(draft.file, ["hosts", name, "daemon"]) === undefined ? "daemon" : "hosts", name, "daemon"];
      return {
        code: "plain-tcp",
        path: own[0] === "hosts" ? own : ["daemon"],
        message: `host "${name}": whoever reaches ${daemon.url} has root on that host`,
        mend: "use ssh:// or tcp:// with TLS, or silence this with `accept: [plain-tcp]`",
      };
    });
  const open =
    draft.file.network === "bridge"
      ? []
      : draft.agents.filter(({ settings }) => settings.client?.split(/\s+/).some((address) => !isLoopback(address)));
  const openHttp = open.map(
    (agent): Problem => ({
      code: "open-http",
      path: settingPath(draft, agent, "client"),
      message: "without ACLs, whoever reaches the HTTP API can read and change everything",
      mend: "leave `client` out (127.0.0.1), or silence this with `accept: [open-http]`",
    }),
  );
  return [...plain, ...unique(openHttp)];
}

/** Terraform runs one provider process a host: 12 MB, and 0.2 s of CPU a plan (measured). */
const HOSTS_PER_STACK = 25;

function stackSizes(draft: Draft): Problem[] {
  return stackNames(draft).flatMap((stack) => {
    const count = draft.hosts.filter(({ group }) => stackName(draft.file.name, group) === stack).length;
    if (count <= HOSTS_PER_STACK) return [];
    return [
      {
        code: "big-group" as const,
        path: ["hosts"],
        message: `stack "${stack}" has ${count} hosts, and every plan asks all of them`,
        mend: `give hosts a \`group:\`, at most ${HOSTS_PER_STACK} to each`,
      },
    ];
  });
}

const stackNames = ({ file, hosts }: Draft): string[] => [...new Set([file.name, ...hosts.map(({ group }) => stackName(file.name, group))])];
