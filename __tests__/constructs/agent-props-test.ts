import { clusterSchema } from "../../cluster/file/schema";
import type { ConsulAgentProps } from "../../constructs/agent-props";
import { settingsOf } from "../../constructs/agent-settings";
import { BackupSchedule, type BackupScheduleProps } from "../../constructs/backup-schedule";
import type { DockerHostProps } from "../../constructs/docker-host";
import { Registrator, type RegistratorProps } from "../../constructs/registrator";
import { type OwnStack, synthesizeOwn } from "../own-stack";

/** Every setting, with a value that is no default. */
const ALL = {
  image: "consul:1",
  bindAddr: "10.1.1.1",
  advertiseAddr: "10.1.1.2",
  clientAddr: "10.1.1.3",
  ports: { dns: 53, http: 80, https: 443, grpc: 1, grpcTls: 2, serfLan: 3, serfWan: 4, server: 5 },
  publish: { dns: 53, http: 80, https: 443, grpc: 1, grpcTls: 2 },
  ui: false,
  restart: "no",
  log: { driver: "syslog", options: { tag: "a" } },
  resources: { memory: 512, cpus: 1.5, cpuset: "0-1" },
  dns: {
    recursors: ["10.0.0.2"],
    allowStale: false,
    maxStale: "1s",
    nodeTtl: "2s",
    serviceTtl: { "*": "3s" },
    onlyPassing: true,
    enableTruncate: true,
  },
  readyTimeout: 9,
  labels: { rack_name: "b" },
  config: { log_level: "DEBUG" },
  flags: ["-log-json"],
  services: [{ name: "web", enable_tag_override: true }],
  checks: [{ name: "disk", ttl: "1h", service_id: "web" }],
} as const;

test("each setting of a cluster file is a property in camel case, with the same value", () => {
  expect(settingsOf(ALL as unknown as ConsulAgentProps)).toEqual({
    image: "consul:1",
    bind_addr: "10.1.1.1",
    advertise_addr: "10.1.1.2",
    client_addr: "10.1.1.3",
    ports: { dns: 53, http: 80, https: 443, grpc: 1, grpc_tls: 2, serf_lan: 3, serf_wan: 4, server: 5 },
    publish: { dns: 53, http: 80, https: 443, grpc: 1, grpc_tls: 2 },
    ui: false,
    restart: "no",
    log: { driver: "syslog", options: { tag: "a" } },
    resources: { memory: 512, cpus: 1.5, cpuset: "0-1" },
    dns: {
      recursors: ["10.0.0.2"],
      allow_stale: false,
      max_stale: "1s",
      node_ttl: "2s",
      service_ttl: { "*": "3s" },
      only_passing: true,
      enable_truncate: true,
    },
    ready_timeout: 9,
    labels: { rack_name: "b" },
    config: { log_level: "DEBUG" },
    flags: ["-log-json"],
    services: [{ name: "web", enable_tag_override: true }],
    checks: [{ name: "disk", ttl: "1h", service_id: "web" }],
  });
});

test("a cluster file takes all of them, and has no other", () => {
  const settings = settingsOf(ALL as unknown as ConsulAgentProps);
  const file = { name: "c", hosts: { s1: "10.0.0.1" }, servers: [{ name: "s1", ...settings }] };
  expect(clusterSchema.safeParse(file).error?.issues).toBeUndefined();
  const ofAgents = ["name", "host", "node", "container", "hostname", "data", "join", "decommission"];
  const [, mapping] = clusterSchema.shape.servers.element.options;
  expect(Object.keys(mapping.shape).filter((key) => !ofAgents.includes(key))).toEqual(Object.keys(settings));
});

test("settings of a cluster file take the place of all others", () =>
  expect(settingsOf({ ...(ALL as unknown as ConsulAgentProps), fileSettings: { ui: true } })).toEqual({ ui: true }));

describe("a property that does not exist is rejected, in a program without types too:", () => {
  const build = (add: (stack: OwnStack) => void) => () => synthesizeOwn(add);
  const server = (props: object) => build((stack) => stack.server(1, props));
  const client = (props: object) => build((stack) => stack.client(1, props));
  const registrator = (props: object) =>
    build((stack) => {
      const agent = stack.client(1);
      new Registrator(stack, "r", { agent, ...props } as RegistratorProps);
    });

  test.each([
    [
      "a cluster file's name",
      server({ client_addr: "0.0.0.0" }),
      "mine/s1: ConsulServer has no property `client_addr`; its name is `clientAddr`",
    ],
    [
      "a cluster file's name of a port",
      client({ ports: { serf_lan: 1 } }),
      "mine/c1: ConsulClient has no property `serf_lan` in `ports`; its name is `serfLan`",
    ],
    ["a typing error", client({ imge: "x" }), 'ConsulClient has no property `imge`; did you mean "image"?'],
    ["another role's", server({ maxParallelClients: 2 }), "ConsulServer has no property `maxParallelClients`"],
    ["a port that is never published", server({ publish: { server: 1 } }), "no property `server` in `publish`"],
    ["a limit", client({ resources: { cpu: 1 } }), 'no property `cpu` in `resources`; did you mean "cpus"?'],
    ["an option of logging", client({ log: { driver: "x", opts: {} } }), "no property `opts` in `log`"],
    ["one of DNS", client({ dns: { node_ttl: "1s" } }), "no property `node_ttl` in `dns`; its name is `nodeTtl`"],
    [
      "one of a host",
      build((stack) => stack.host(1, { mirrors: "x" } as Partial<DockerHostProps>)),
      'mine/h1: DockerHost has no property `mirrors`; did you mean "mirror"?',
    ],
    [
      "one of scheduled backups",
      build((stack) => new BackupSchedule(stack, "b", { server: stack.server(1), evry: 5 } as BackupScheduleProps)),
      'mine/b: BackupSchedule has no property `evry`; did you mean "every"?',
    ],
    [
      "one of registrator",
      registrator({ retry_attempts: 3 }),
      "mine/r: Registrator has no property `retry_attempts`; its name is `retryAttempts`",
    ],
  ])("%s", (_, synthesized, message) => expect(synthesized).toThrow(message));
});

test("registrator's settings have a cluster file's meaning", () => {
  const { stacks } = synthesizeOwn((stack) => {
    const agent = stack.client(1);
    new Registrator(stack, "r", { agent, retryAttempts: 3, retryInterval: 9, tags: ["a", "b"], flags: ["-explicit"] });
  });
  expect(stacks.mine?.resource.docker_container.r?.command).toEqual([
    "-ip=10.0.0.1",
    "-resync=60",
    "-cleanup",
    "-retry-attempts=3",
    "-retry-interval=9",
    "-tags=a,b",
    "-explicit",
    "consul://127.0.0.1:8500",
  ]);
});
