import fc from "fast-check";
import { parse, stringify } from "yaml";
import { catalogue } from "../cluster/catalogue";
import { defineCluster } from "../cluster/define";
import { loadCluster } from "../cluster/file/load";
import { type ClusterFile, LABEL } from "../cluster/file/schema";
import { ClusterError } from "../cluster/problem";
import { OWN_LABELS } from "../consul/contract";
import { BRIDGE, clusterFile, FOUR_HOSTS, HEAD } from "./cluster-files";
import {
  agentConfigOf,
  containersOf,
  flagValues,
  rendered,
  type Synthesized,
  stacksOf,
  synthesizeCluster,
} from "./synthesized";

/** `SEED=$RANDOM RUNS=20 npx jest property` tries other clusters, and more. fast-check prints the seed of a failure. */
const { SEED = "20190127", RUNS = "1" } = process.env;
const bounded = (numRuns: number) => ({ seed: Number(SEED), numRuns: numRuns * Number(RUNS) });

// Valid clusters.

const label = fc.stringMatching(LABEL, { size: "small" }).filter((name) => name.length > 1 && name !== "constructor");

/** Text with the syntax of YAML, JSON, the shell and Terraform. */
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 6 }),
      fc.constantFrom("${", "$${", "%{", "%%{", "{{", "}", '"', "'", "\\", "\n", "$", "%", " ", "\u2028"),
    ),
    {
      maxLength: 6,
    },
  )
  .map((parts) => parts.join(""));

const ONE_HOST = `${HEAD}hosts: { s1: 10.0.0.1 }\nservers: [s1]\n`;

/** Not the name of a secret, nor a property that JavaScript defines. */
const key = text.filter((name) => name !== "__proto__" && !/token|secret|encrypt|password|key|credentials/i.test(name));

const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 3 }),
  ),
}));
const config = fc
  .dictionary(key, json.value as fc.Arbitrary<never>, { maxKeys: 3 })
  .map((entries) => Object.fromEntries(Object.entries(entries).map(([name, value]) => [`x_${name}`, value])));

const settings = fc.record(
  {
    ui: fc.boolean(),
    restart: fc.constantFrom("always" as const, "unless-stopped" as const, "on-failure" as const, "no" as const),
    labels: fc.dictionary(
      key.filter((name) => name !== ""),
      text,
      { maxKeys: 2 },
    ),
    config,
    flags: fc.array(
      text.filter((word) => !/[\0\r\n]/.test(word)).map((word) => `-log-level=${word}`),
      { maxLength: 2 },
    ),
    client_addr: fc.constantFrom("0.0.0.0", "127.0.0.1", "127.0.0.1 10.9.9.9"),
    resources: fc.record(
      { memory: fc.integer({ min: 6, max: 4096 }), cpus: fc.constantFrom(0.5, 1, 2) },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);

interface Plan {
  readonly names: string[];
  readonly servers: number;
  readonly network: "host" | "bridge";
  readonly groups: (string | undefined)[];
  /** Agents that share the host of the one before them. */
  readonly shared: boolean[];
  readonly ownPorts: boolean[];
  readonly common: object;
  readonly own: object[];
  readonly v6: boolean;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  names: fc.uniqueArray(label, { minLength: 1, maxLength: 8 }),
  servers: fc.integer({ min: 1, max: 7 }),
  network: fc.constantFrom("host" as const, "host" as const, "bridge" as const),
  groups: fc.array(fc.option(fc.constantFrom("a", "b"), { nil: undefined }), { minLength: 10, maxLength: 10 }),
  shared: fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }),
  ownPorts: fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }),
  common: settings,
  own: fc.array(settings, { minLength: 10, maxLength: 10 }),
  v6: fc.boolean(),
});

const PORTS = ["dns", "http", "https", "grpc", "grpc_tls", "serf_lan", "serf_wan", "server"] as const;

function clusterOf({ names, servers, network, groups, shared, ownPorts, common, own, v6 }: Plan): ClusterFile {
  const count = Math.min(servers, names.length);
  const bridge = network === "bridge";
  const hostOf = names.map((name, index) => (bridge ? (names[0] as string) : index > 0 && shared[index] ? "" : name));
  for (const [index, host] of hostOf.entries()) hostOf[index] = host || (hostOf[index - 1] as string);
  // A published port reaches no agent that listens only on its container's loopback address.
  const open = <T extends { client_addr?: string }>(given: T | undefined) =>
    bridge && given?.client_addr === "127.0.0.1" ? { ...given, client_addr: "0.0.0.0" } : given;
  const agents = names.map((name, index) => {
    const crowded = hostOf.indexOf(hostOf[index] as string) !== hostOf.lastIndexOf(hostOf[index] as string);
    const ports = Object.fromEntries(PORTS.map((port, offset) => [port, 10_000 + index * 20 + offset]));
    return {
      name,
      host: hostOf[index] as string,
      ...open(own[index]),
      ...((crowded && !bridge) || ownPorts[index] ? { ports } : {}),
      ...(bridge && { publish: { http: 20_000 + index } }),
    };
  });
  return {
    name: "c",
    security: "off",
    network,
    daemon: bridge ? "unix:///var/run/docker.sock" : "ssh://root@{address}",
    hosts: Object.fromEntries(
      [...new Set(hostOf)].map((host, index) => [
        host,
        { address: v6 ? `fd00::${index + 1}` : `10.0.0.${index + 1}`, group: groups[index] },
      ]),
    ),
    servers: agents.slice(0, count),
    clients: agents.slice(count),
    ...(count > 3 && { join: names.slice(0, 3) }),
    ignore: ["two-servers", "even-servers", "open-http"],
    ...open(common),
  } as ClusterFile;
}

const cluster = plan.map(clusterOf);

// Claims about each valid cluster.

function agentsIn(file: ClusterFile) {
  return [...file.servers, ...(file.clients ?? [])].map(
    (entry) => entry as Exclude<typeof entry, string> & { host: string },
  );
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Divides a `config` between the cluster and an agent. Where the cluster has another value, the agent's must win. */
function divided(whole: object, choices: Iterator<number>): { common: object; own: object } {
  const common: [string, unknown][] = [];
  const own: [string, unknown][] = [];
  for (const [name, value] of Object.entries(whole)) {
    const choice = choices.next().value % 4;
    if (choice === 0) common.push([name, value]);
    if (choice === 1) own.push([name, value]);
    if (choice === 2 || (choice === 3 && !isMapping(value))) {
      common.push([name, "of the cluster"]);
      own.push([name, value]);
    } else if (choice === 3 && isMapping(value)) {
      const parts = divided(value, choices);
      common.push([name, parts.common]);
      own.push([name, parts.own]);
    }
  }
  return { common: Object.fromEntries(common), own: Object.fromEntries(own) };
}

/** The address and port at which other agents join each agent. */
function joinedAt(file: ClusterFile): Map<string, { address: string; port: number }> {
  return new Map(
    agentsIn(file).map(({ name, host, ports }) => [
      name,
      {
        address: file.network === "bridge" ? name : (file.hosts[host] as { address: string }).address,
        port: ports?.serf_lan ?? 8301,
      },
    ]),
  );
}

function checkJoins(file: ClusterFile, stacks: Pick<Synthesized, "stacks">) {
  const places = joinedAt(file);
  const servers = new Set(file.servers.map((entry) => (entry as { name: string }).name));
  for (const [name, container] of Object.entries(containersOf(stacks))) {
    const ownPort = places.get(name)?.port as number;
    const joins = flagValues(container, "-retry-join").map((join) => {
      const [, v6, plain, port] =
        /^(?:\[(.*)\]|([^[]*?))(?::(\d+))?$/.exec(
          /^[0-9a-f:]+$/.test(join) && join.includes("::") ? `[${join}]` : join,
        ) ?? [];
      return { address: v6 ?? plain, port: port === undefined ? ownPort : Number(port) };
    });
    const expected = (file.join ?? [...servers]).filter((other) => other !== name).map((other) => places.get(other));
    expect([...joins].sort(byPlace)).toEqual([...expected].sort(byPlace));
  }
}

const synthesized = new Map<string, Pick<Synthesized, "stacks">>();

/** A cluster's stacks. Each test of any valid cluster begins with the same seed, so they meet the same clusters. */
function stacksOfFile(file: ClusterFile): Pick<Synthesized, "stacks"> {
  const key = JSON.stringify(file);
  const known = synthesized.get(key) ?? { stacks: stacksOf(defineCluster(file)) };
  synthesized.set(key, known);
  return known;
}

const byPlace = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

test("any valid cluster: every agent joins the servers at their addresses and ports, and not itself", () => {
  fc.assert(
    fc.property(cluster, (file) => checkJoins(file, stacksOfFile(file))),
    bounded(25),
  );
});

test("any valid cluster: each agent has one container of its name, image and readiness check, on its host's provider, and an output", () => {
  fc.assert(
    fc.property(cluster, (file) => {
      const { stacks } = stacksOfFile(file);
      const names = agentsIn(file).map(({ name }) => name);
      expect(Object.keys(containersOf({ stacks })).sort()).toEqual([...names].sort());
      for (const { resource, provider, output } of Object.values(stacks)) {
        const aliases = new Set((provider?.docker ?? []).map(({ alias }) => `docker.${alias}`));
        const containers = resource.docker_container ?? {};
        const found = Object.entries(containers).map(([name, container]) => ({
          names: [name, container.name],
          provider: container.provider,
          hasProvider: aliases.has(container.provider),
          image: [container.image, resource.docker_image[name]?.provider],
          triggers: Object.values(resource.terraform_data[name]?.triggers_replace ?? {}),
        }));
        const expected = Object.keys(containers).map((name) => {
          const host = `docker.${agentsIn(file).find((agent) => agent.name === name)?.host}_host`;
          return {
            names: [name, name],
            provider: host,
            hasProvider: true,
            image: [`\${docker_image.${name}.image_id}`, host],
            triggers: [`\${docker_container.${name}.id}`],
          };
        });
        expect(found).toEqual(expected);
        expect(
          Object.keys(output ?? {})
            .filter((id) => id !== "consul_stacks")
            .sort(),
        ).toEqual(Object.keys(containers).sort());
      }
    }),
    bounded(25),
  );
});

test("any valid cluster: outputs, published ports and requests to the agent name the port that the agent listens on", () => {
  fc.assert(
    fc.property(cluster, (file) => {
      const { stacks } = stacksOfFile(file);
      const outputs: Synthesized["stacks"][string]["output"] = Object.assign(
        {},
        ...Object.values(stacks).map(({ output }) => output),
      );
      const found = agentsIn(file).map(({ name }) => {
        const container = containersOf({ stacks })[name];
        return {
          address: outputs[name]?.value.http?.match(/:\d+$/)?.[0],
          // The health check and the rollout's scripts use the address in the container's environment, or Consul's default.
          requested: (
            container?.env?.find((variable) => variable.startsWith("CONSUL_HTTP_ADDR=")) ?? "http://127.0.0.1:8500"
          ).match(/:\d+$/)?.[0],
          published: container?.ports?.map((port) => ({ ...port, ip: typeof port.ip })),
          listened: (container && (agentConfigOf(container) as { ports?: object }))?.ports,
        };
      });
      const expected = agentsIn(file).map(({ ports, publish }) => {
        const http = ports?.http ?? 8500;
        return {
          address: `:${publish?.http ?? http}`,
          requested: `:${http}`,
          published: publish && [{ internal: http, external: publish.http, ip: "string", protocol: "tcp" }],
          listened: ports,
        };
      });
      expect(found).toEqual(expected);
    }),
    bounded(25),
  );
});

test("any `config`, labels and flags reach the container as they were written, whatever is in them", () => {
  fc.assert(
    fc.property(settings, settings, config, fc.infiniteStream(fc.nat()), (common, own, whole, choices) => {
      const parts = divided(whole, choices);
      const file = {
        ...(parse(ONE_HOST) as ClusterFile),
        ...common,
        config: parts.common,
        servers: [{ name: "s1", ...own, config: parts.own }],
        ignore: ["open-http"],
      } as ClusterFile;
      const container = containersOf({ stacks: stacksOf(defineCluster(file)) }).s1;
      if (!container) throw new Error("no container");
      const written = agentConfigOf(container);
      expect(Object.fromEntries(Object.keys(whole).map((name) => [name, written[name]]))).toEqual(
        JSON.parse(JSON.stringify(whole)),
      );
      const labels = container.labels.map(({ label, value }) => [rendered(label), rendered(value)]);
      expect(Object.fromEntries(labels)).toEqual({
        SERVICE_IGNORE: "true",
        [OWN_LABELS.agent]: "s1",
        [OWN_LABELS.cluster]: "c",
        [OWN_LABELS.role]: "server",
        ...common.labels,
        ...own.labels,
      });
      const flags = [...(common.flags ?? []), ...(own.flags ?? [])];
      expect(flags.length === 0 ? [] : container.command.slice(-flags.length).map(rendered)).toEqual(flags);
    }),
    bounded(80),
  );
});

test("any valid cluster: written as YAML, or in another order, it is the same to the byte", () => {
  const reversed = (value: Record<string, unknown>) => Object.fromEntries(Object.entries(value).reverse());
  fc.assert(
    fc.property(cluster, (file) => {
      const { texts } = synthesizeCluster(defineCluster(file));
      const other = reversed({
        ...file,
        hosts: reversed(file.hosts),
        servers: [...file.servers].reverse(),
        clients: [...(file.clients ?? [])].reverse(),
      });
      expect(synthesizeCluster(loadCluster(clusterFile(stringify(other)))).texts).toEqual(texts);
    }),
    bounded(12),
  );
});

// An invalid cluster file is refused with problems of the catalogue.

const LINE = /^( {4}|.*:\d+:\d+: (error|warning) [a-z-]+: )/;

/**
 * A file is synthesized, or ends in a ClusterError with problems of the catalogue. Any other error is a defect of ours.
 * These checks are made hundreds of times, and `expect` takes longer than each of them.
 */
function synthesizesOrReports(content: string | Uint8Array): void {
  try {
    stacksOf(loadCluster(clusterFile(content)));
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    if (error.problems.length === 0) throw new Error("an error without a problem");
    for (const { code, message, hint } of error.problems) {
      if (!Object.hasOwn(catalogue, code)) throw new Error(`${code} is not in the catalogue`);
      if (message === "" || hint === "") throw new Error(`a problem without a message or a hint: ${code}`);
    }
    for (const line of error.message.split("\n"))
      if (!LINE.test(line)) throw new Error(`not in the form that is promised: ${JSON.stringify(line)}`);
  }
}

/** A file with most keys. */
const FULL = `${FOUR_HOSTS.replace(
  "[c1]",
  "[{ name: c1, host: c1, node: n1, container: k1, hostname: h1, data: /srv/c1, join: [s1, s2], advertise_addr: 10.0.0.4 }]",
).replace(
  "10.0.0.4",
  "{ address: 10.0.0.4, daemon: { url: tcp://10.0.0.4:2376, certs: secrets/c1 }, group: edge, registrator: { ip: 10.0.0.4 } }",
)}datacenter: dc2
bootstrap_expect: 3
join: [s1, s2, s3, consul.example.com]
mirror: mirror.example.com
registries: [registry.example.com]
images: [nginx:1.29]
backend: { s3: { bucket: b, key: "consul/{stack}" } }
ignore: [open-http]
image: hashicorp/consul:1.22.2
client_addr: 0.0.0.0
ports: { dns: 53, http: 8500, https: -1, grpc_tls: 8503, serf_lan: 8301 }
ui: true
restart: always
log: { driver: json-file, options: { max-size: 10m } }
resources: { memory: 512, cpus: 1.5, cpuset: 0-1 }
labels: { a: b }
config: { log_level: INFO, telemetry: { prometheus_retention_time: 1h } }
dns: { recursors: [10.0.0.9], node_ttl: 5s, service_ttl: { "*": 5s }, only_passing: true }
registrator: { image: gliderlabs/registrator:latest, resync: 5, tags: [a], deregister: on-success, flags: [-explicit] }
flags: [-log-json]
services: [{ name: web, id: w1, port: 80, tags: [a], meta: { a: b }, checks: [{ tcp: "x:1", interval: 10s }, { ttl: 1h }], connect: { sidecar_service: {} } }]
checks: [{ name: disk, service_id: w1, http: "http://x", interval: 10s, header: { X-Test: [a] } }]
kv: { app/a: text, app/b: { c: [1] } }
config_entries: [{ kind: service-defaults, name: web, protocol: http }, { kind: mesh }]
intentions: { web: { api: allow, "*": deny } }
prepared_queries: [{ name: near, service: { service: web, failover: { nearest_n: 2 } }, dns: { ttl: 10s } }]
`;
const BRIDGED = `${BRIDGE}servers: [{ name: s1, host: local, publish: { http: 8500, dns: 8600 } }]
clients: [{ name: c1, host: local, data: dd, ports: { https: 8501 }, publish: { https: 8501 } }]
registrator: on
`;
const SAMPLES = [
  FULL,
  BRIDGED,
  FOUR_HOSTS,
  `${HEAD}hosts: { s1: 10.0.0.1, c1: 10.0.0.2 }\nservers: [s1]\nclients: [c1]\n`,
];
const sample = fc.constantFrom(...SAMPLES);

const values = new Map(SAMPLES.map((text) => [text, parse(text)]));
/** The value of a sample, to be changed. */
const parsed = (text: string) => structuredClone(values.get(text));

test("the samples that are mutated below are valid", () => {
  for (const text of SAMPLES) expect(() => loadCluster(clusterFile(text))).not.toThrow();
});

test("any bytes flipped in a file are synthesized, or refused with problems of the catalogue", () => {
  fc.assert(
    fc.property(sample, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), (text, flips) => {
      const bytes = Buffer.from(text);
      for (const [at, byte] of flips) bytes[at % bytes.length] = byte;
      synthesizesOrReports(bytes);
    }),
    bounded(150),
  );
});

test("any piece cut out of a file, or put in twice, is synthesized, or refused with problems of the catalogue", () => {
  fc.assert(
    fc.property(sample, fc.nat(), fc.nat(30), fc.nat(), fc.boolean(), (text, from, length, to, cut) => {
      const start = from % text.length;
      const piece = text.slice(start, start + length);
      const rest = cut ? text.slice(0, start) + text.slice(start + length) : text;
      const at = to % (rest.length + 1);
      synthesizesOrReports(cut && to % 2 ? rest : rest.slice(0, at) + piece + rest.slice(at));
    }),
    bounded(150),
  );
});

type Path = (string | number)[];
const pathsIn = (value: unknown, path: Path = []): Path[] =>
  typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([name, item]) => {
        const at = [...path, Array.isArray(value) ? Number(name) : name];
        return [at, ...pathsIn(item, at)];
      })
    : [];

/** Any value, and values that have a meaning at some location of the file. */
const anyValue = fc.oneof(
  json.value,
  fc.constantFrom(
    "s1",
    "s2",
    "c1",
    "c",
    "",
    "10.0.0.1",
    "10.0.0.4",
    "127.0.0.1",
    "0.0.0.0",
    "::1",
    "::",
    "fd00::1",
    "255.255.255.255",
    "{{ GetPrivateIP }}",
  ),
  fc.constantFrom(
    "bridge",
    "host",
    "unix:///x",
    "tcp+insecure://{address}:1",
    "ssh://${x}",
    "/",
    "/srv",
    "~/x",
    "off",
    "host:host",
    "{stack}",
    "%{if}",
  ),
  fc.constantFrom(-1, 0, 1, 2, 8300, 8301, 8500, 65535, 65536, 1e21, 0.1),
);

test("any values at any locations of a file are synthesized, or refused with problems of the catalogue", () => {
  fc.assert(
    fc.property(sample, fc.array(fc.tuple(fc.nat(), anyValue), { minLength: 1, maxLength: 3 }), (text, changes) => {
      const file = parsed(text);
      for (const [at, value] of changes) {
        const paths = pathsIn(file);
        const path = paths[at % Math.max(1, paths.length)] ?? [];
        const parent = path
          .slice(0, -1)
          .reduce<Record<string | number, unknown>>((object, name) => object[name] as never, file);
        if (path.length > 0) parent[path.at(-1) as string] = value;
      }
      synthesizesOrReports(stringify(file));
    }),
    bounded(200),
  );
});

test("any keys left out, renamed or swapped are synthesized, or refused with problems of the catalogue", () => {
  const names = fc.oneof(
    key,
    fc.constantFrom(
      "constructor",
      "toString",
      "hasOwnProperty",
      "__proto__",
      "<<",
      "name",
      "host",
      "join",
      "s1",
      "address",
    ),
  );
  fc.assert(
    fc.property(
      sample,
      fc.array(fc.tuple(fc.nat(), fc.option(names)), { minLength: 1, maxLength: 3 }),
      (text, changes) => {
        const file = parsed(text);
        for (const [at, name] of changes) {
          const paths = pathsIn(file);
          const path = paths[at % Math.max(1, paths.length)] ?? [];
          const parent = path
            .slice(0, -1)
            .reduce<Record<string | number, unknown>>((object, step) => object[step] as never, file);
          const last = path.at(-1) as string;
          if (name !== null && !Array.isArray(parent))
            Object.defineProperty(parent, name, {
              value: parent[last],
              enumerable: true,
              configurable: true,
              writable: true,
            });
          if (Array.isArray(parent)) parent.splice(Number(last), 1);
          else delete parent[last];
        }
        synthesizesOrReports(stringify(file));
      },
    ),
    bounded(200),
  );
});

test("any YAML at all is refused with problems of the catalogue", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        json.value.map((value) => stringify(value)),
        text,
        fc.string({ maxLength: 40 }),
      ),
      synthesizesOrReports,
    ),
    bounded(150),
  );
});
