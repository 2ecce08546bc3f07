import { loadCluster } from "../../cluster/file/load";
import { BRIDGE, FOUR_HOSTS, SEED } from "../cluster-files";
import { containerOf, type Synthesized, stackOf, synthesizeCluster, synthesizeText } from "../synthesized";

const FILES: [string, Synthesized][] = [
  ["seed.yaml", synthesizeCluster(loadCluster(SEED))],
  ["a bridge", synthesizeText(`${BRIDGE}servers: [{ name: s1, host: local, publish: { http: 8500 } }]\n`)],
  [
    "TLS daemons, a mirror and groups",
    synthesizeText(
      FOUR_HOSTS.replace("ssh://root@{address}", '{ url: "tcp://{address}:2376", certs: "secrets/{host}" }')
        .replace("10.0.0.4", "{ address: 10.0.0.4, group: edge }")
        .concat("mirror: mirror.example.com:5000\nregistries: [registry.example.com]\n"),
    ),
  ],
];

function strings(value: unknown, at = ""): [string, string][] {
  if (typeof value === "string") return [[at, value]];
  return typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, item]) => strings(item, `${at}.${key}`))
    : [];
}

describe.each(FILES)("the JSON of %s", (_, { stacks }) => {
  // The scripts' text is the product's own, and the same for all users.
  const all = strings(stacks).filter(([, text]) => !text.startsWith("#!/bin/sh"));

  test("has no path of the host that synthesized it", () => {
    const inContainers =
      /^(\/consul\/(data|declared|config\/agent\.json|[a-z-]+\.sh)|\/bin\/sh|\/usr\/bin\/dumb-init)$/;
    expect(all.filter(([, text]) => text.startsWith("/") && !inContainers.test(text))).toEqual([]);
    expect(all.filter(([, text]) => text.includes(process.cwd()) || text.includes(__dirname))).toEqual([]);
  });
  test("has no time", () => {
    expect(all.filter(([, text]) => /\b20\d\d-\d\d-\d\d|\b1[6-9]\d{8,11}\b/.test(text))).toEqual([]);
  });
  test("has no secret", () => {
    expect(
      all.filter(([at]) =>
        /encrypt|token|secret|password|private_key|material|registry_auth.*(username|config_file_content)/i.test(at),
      ),
    ).toEqual([]);
  });
  test("has a host's provider for every resource, and each provider ignores docker's environment variables", () => {
    for (const [, { provider, resource }] of Object.entries(stacks)) {
      const aliases = provider.docker.map(({ alias }) => `docker.${alias}`);
      const used = [resource.docker_container, resource.docker_image, resource.docker_network ?? {}].flatMap(
        (resources) => Object.values(resources).map((each) => each.provider),
      );
      expect([...new Set(used)].sort()).toEqual(aliases.sort());
      for (const { context } of provider.docker) expect(context).toBe("");
    }
  });
});

test("the JSON is small: a server's container has 4.5 kB at most, and the article's stack 30 kB", () => {
  const seed = synthesizeCluster(loadCluster(SEED));
  expect(JSON.stringify(containerOf(seed, "consul-server1")).length).toBeLessThanOrEqual(4500);
  expect(JSON.stringify(stackOf(seed, "consul")).length).toBeLessThanOrEqual(30_000);
});
