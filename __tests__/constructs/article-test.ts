import { defineCluster } from "../../cluster/define";
import { loadCluster } from "../../cluster/file/load";
import { effectivePorts } from "../../consul/ports";
import { SEED } from "../cluster-files";
import { type ContainerJson, flagValues, synthesizeCluster } from "../synthesized";

/** The article's commands, verbatim: one for each machine. */
const ARTICLE = String.raw`
👍 ~ docker run -d --name=consul-server1 \
     --net=host \
     --restart=always \
     -h consul-server1 \
     consul agent \
     -server \
     -bind=172.16.8.120 \
     -bootstrap-expect=2 \
     -node=consul-server1 \
     -data-dir=/tmp/data-dir \
     -client 0.0.0.0 \
     -ui

👍 ~ docker run -d --name=consul-server2 \
     --net=host \
     --restart=always \
     -h consul-server2 \
     consul agent \
     -server \
     -bind=172.16.8.121 \
     -join=172.16.8.120 \
     -bootstrap-expect=2 \
     -node=consul-server2 \
     -data-dir=/tmp/data-dir \
     -client 0.0.0.0 \
     -ui

👍 ~ docker run -d --name=consul-server3 \
     --net=host \
     --restart=always \
     -h consul-server3 \
     consul agent \
     -server \
     -bind=172.16.8.122 \
     -join=172.16.8.120 \
     -bootstrap-expect=2 \
     -node=consul-server3 \
     -data-dir=/tmp/data-dir \
     -client 0.0.0.0 \
     -ui

👍 ~ docker run -d --name=consul-client1 \
     --net=host \
     --restart=always \
     -h consul-client1 \
     consul agent \
     -bind=172.16.8.110 \
     -retry-join=172.16.8.120 \
     -node=consul-client1 \
     -client 0.0.0.0 \
     -ui
`;

/** The article's list of Consul's default ports, verbatim. */
const ARTICLE_PORTS = `
dns       8600.
http      8500.
https     disabled
rpc       8400.
serf_lan  8301.
serf_wan  8302.
server    8300.
`;

/** The images that the article pulls on all machines, verbatim. */
const ARTICLE_IMAGES = ["consul:latest", "gliderlabs/registrator:latest"];

/** One flag or word of a command: `-ui` has no value, and there can be several of `-retry-join`. */
type Flags = Record<string, readonly string[]>;

/** Flags whose value is the next word if they have no `=`. */
const SPACED = ["-h", "-client"];

function flagsOf(words: readonly string[]): Flags {
  const flags: Record<string, string[]> = {};
  for (let index = 0; index < words.length; index += 1) {
    const [flag = "", ...rest] = (words[index] ?? "").split("=");
    const spaced = SPACED.includes(flag) && rest.length === 0;
    if (spaced) index += 1;
    flags[flag] = [...(flags[flag] ?? []), spaced ? (words[index] ?? "") : rest.join("=")];
  }
  return flags;
}

interface Run {
  /** Flags of `docker run`. */
  readonly docker: Flags;
  readonly image: string;
  /** Flags of `consul agent`. */
  readonly agent: Flags;
}

function articleRuns(): Run[] {
  return ARTICLE.split("👍 ~ docker run ")
    .slice(1)
    .map((command) => {
      const words = command.replaceAll("\\\n", " ").trim().split(/\s+/);
      const subcommand = words.indexOf("agent");
      return {
        docker: flagsOf(words.slice(0, subcommand - 1)),
        image: words[subcommand - 1] ?? "",
        agent: flagsOf(words.slice(subcommand + 1)),
      };
    });
}

/** Our container as a `docker run`, in the article's flags. */
function ourRun(container: ContainerJson, image: string): Run {
  const [subcommand, ...flags] = container.command;
  expect(subcommand).toBe("agent");
  return {
    docker: {
      "-d": [""], // Terraform's provider always starts containers in the background
      "--name": [container.name],
      "--net": [container.network_mode],
      "--restart": [container.restart],
      "-h": [container.hostname],
    },
    image,
    agent: flagsOf(flags),
  };
}

/** All deviations from the article, with their reasons. */
const DEVIATIONS: {
  readonly of: string;
  readonly because: string;
  readonly in: (run: Run, all: readonly Run[]) => Run;
}[] = [
  {
    of: "the image",
    because: "`consul` is no longer published on Docker Hub, and an unpinned version changes a cluster unexpectedly",
    in: (run) => ({ ...run, image: "hashicorp/consul:1.22.7" }),
  },
  {
    of: "-join",
    because: "-join tries once, and fails if the other agent is not up yet; -retry-join keeps trying",
    in: ({ agent: { "-join": join = [], ...agent }, ...run }) => ({
      ...run,
      agent: join.length === 0 ? agent : { ...agent, "-retry-join": join },
    }),
  },
  {
    of: "the agents to join",
    because:
      "an agent that only knows the first server cannot rejoin while that server is down, so each agent joins all servers",
    in: (run, all) => {
      const servers = all.filter(({ agent }) => "-server" in agent).flatMap(({ agent }) => agent["-bind"] ?? []);
      return {
        ...run,
        agent: { ...run.agent, "-retry-join": servers.filter((address) => address !== run.agent["-bind"]?.[0]) },
      };
    },
  },
  {
    of: "-bootstrap-expect",
    because:
      "the article has 2 and means 3 (its text waits for three servers); with 2 of 3, the cluster bootstraps before the third can take part",
    in: (run) =>
      "-bootstrap-expect" in run.agent ? { ...run, agent: { ...run.agent, "-bootstrap-expect": ["3"] } } : run,
  },
  {
    of: "-data-dir",
    because:
      "/tmp/data-dir is lost with its container; the image's entrypoint adds -data-dir=/consul/data, the path of a named volume",
    in: ({ agent: { "-data-dir": _, ...agent }, ...run }) => ({ ...run, agent }),
  },
  {
    of: "-config-dir",
    because: "services that the cluster file declares are delivered to the running agent, in a separate folder",
    in: (run) => ({ ...run, agent: { ...run.agent, "-config-dir": ["/consul/declared"] } }),
  },
];

const seed = synthesizeCluster(loadCluster(SEED));
const stack = seed.stacks.consul as NonNullable<typeof seed.stacks.consul>;
const runs = articleRuns();

test("the article has three servers and a client", () => {
  expect(runs.map(({ docker }) => docker["--name"])).toEqual([
    ["consul-server1"],
    ["consul-server2"],
    ["consul-server3"],
    ["consul-client1"],
  ]);
});

test("seed.yaml has the article's containers, and no others", () => {
  expect(Object.keys(stack.resource.docker_container).sort()).toEqual(
    runs.flatMap(({ docker }) => docker["--name"] ?? []).sort(),
  );
});

describe.each(runs.map((run) => [run.docker["--name"]?.[0] as string, run] as const))(
  "the article's docker run --name=%s",
  (name, run) => {
    const container = stack.resource.docker_container[name] as ContainerJson;
    const image = stack.resource.docker_image[/docker_image\.([\w-]+)\.image_id/.exec(container.image)?.[1] ?? ""]
      ?.name as string;
    const expected = DEVIATIONS.reduce((changed, deviation) => deviation.in(changed, runs), run);
    const ours = ourRun(container, image);

    test("runs the image under which Consul is published now", () => expect(ours.image).toBe(expected.image));
    test.each(Object.entries(expected.docker))("docker's %s", (flag, values) =>
      expect(ours.docker[flag]).toEqual(values),
    );
    test.each(Object.entries(expected.agent))("consul's %s", (flag, values) =>
      expect(ours.agent[flag]).toEqual(values),
    );
    test("has no flag that the article does not have", () =>
      expect(Object.keys(ours.agent).sort()).toEqual(Object.keys(expected.agent).sort()));
    test("has its data on its own volume", () => {
      expect(container.volumes).toContainEqual({ container_path: "/consul/data", volume_name: `${name}-data` });
    });
  },
);

test.each(DEVIATIONS)("the deviation of $of still exists ($because)", (deviation) => {
  const others = DEVIATIONS.filter((one) => one !== deviation);
  const changed = runs.some((run) => {
    const all = DEVIATIONS.reduce((so, one) => one.in(so, runs), run);
    const without = others.reduce((so, one) => one.in(so, runs), run);
    return JSON.stringify(all) !== JSON.stringify(without);
  });
  expect(changed).toBe(true);
});

describe("the article's ports", () => {
  const listed = [...ARTICLE_PORTS.matchAll(/^(\w+)\s+(disabled|\d+)\.?$/gm)].map(([, name, port]) => [
    name as string,
    port as string,
  ]);

  test.each(listed.filter(([name]) => name !== "rpc"))("%s is %s by default", (name, port) => {
    expect(effectivePorts("server")[name as "http"]).toBe(port === "disabled" ? -1 : Number(port));
  });
  test("rpc, 8400, does not exist since Consul 1.0, so it cannot be set", () => {
    expect(listed).toContainEqual(["rpc", "8400"]);
    expect(() =>
      defineCluster({
        name: "c",
        security: "off",
        daemon: "unix:///x",
        hosts: {},
        servers: ["s1"],
        ports: { rpc: 8400 } as object,
      }),
    ).toThrow(/there is no key "rpc" here/);
  });
  test("seed.yaml changes none", () => {
    const containers = Object.values(stack.resource.docker_container);
    expect(containers).toHaveLength(runs.length);
    for (const { upload } of containers) expect(upload[0]?.content).not.toContain("ports");
  });
});

test.each(Object.keys(stack.resource.docker_container))(
  "on %s both of the article's images are pulled, Consul's pinned",
  (name) => {
    const pulled = Object.values(stack.resource.docker_image).filter(
      ({ provider }) => provider === `docker.${name}_host`,
    );
    expect(pulled.map((image) => image.name)).toEqual(["hashicorp/consul:1.22.7", ARTICLE_IMAGES[1]]);
  },
);

test("agents join each other as the article's `consul members` lists them: at the bind address, on port 8301", () => {
  const addresses = runs.map(({ agent }) => agent["-bind"]?.[0]);
  expect(Object.values(stack.output).map(({ value }) => value.join)).toEqual(expect.arrayContaining(addresses));
  const joins = Object.values(stack.resource.docker_container).flatMap((container) =>
    flagValues(container, "-retry-join"),
  );
  expect(joins).not.toEqual([]);
  for (const join of joins) expect(addresses).toContain(join);
});

test("the article's last step finds the UI and the HTTP API at the addresses of seed.yaml's outputs", () => {
  expect(stack.output["consul-server1"]?.value.http).toBe("http://172.16.8.120:8500");
  expect(stack.output["consul-client1"]?.value.http).toBe("http://172.16.8.110:8500");
});
