import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import type { AgentDescription } from "../../../cluster/model";
import { makeCa } from "../../../ops/secrets/certificates";
import { foundSecrets, notTrusting } from "../../../ops/secrets/delivered";
import { FOUR_HOSTS, load } from "../../cluster-files";
import { api, ContainerStandIn, execHere, type Handler } from "../../rollout/container-stand-in";

const { PATH } = process.env;
const TOKENS = [{ SecretID: "11111111-1111-4111-8111-111111111111", Description: "consul-cdktf: dns", CreateIndex: 7 }];
let old: string;
let next: string;
beforeAll(async () => {
  [old, next] = (await Promise.all([makeCa("c", new Date()), makeCa("c", new Date())])).map(({ cert }) => cert) as [
    string,
    string,
  ];
});

/** Every host runs one container with the same secrets. */
function containers({ ca = old, unreachable = "none", absent = "none" } = {}): ContainerStandIn {
  const standIn = new ContainerStandIn({ "ca.pem": ca, "management.header": "X-Consul-Token: all-rights" });
  const secrets = join(standIn.root, "secrets");
  standIn.program(
    "docker",
    `#!/bin/sh
case "$*" in
*${unreachable}*) echo "no route to host" >&2; exit 1 ;;
*${absent}*) echo "Error response from daemon: No such container: x" >&2; exit 1 ;;
*" container cp "*/consul/secrets/*) tar -cf - -C ${secrets} "$(basename "\${5#*:}")"; exit ;;
*" container cp "*) tar -cf - -C ${standIn.root} secrets; exit ;;
esac
${execHere(secrets)}`,
  );
  process.env.PATH = standIn.path;
  return standIn;
}

/** The cluster's agents, whose API answers by a handler. */
async function agents(handler: Handler): Promise<AgentDescription[]> {
  const local = await api(handler);
  return load(FOUR_HOSTS).agents.map((agent) => ({ ...agent, endpoints: { ...agent.endpoints, local } }));
}

const lists: Handler = ({ headers, url }, response) => {
  response.statusCode = headers["x-consul-token"] === "all-rights" && url === "/v1/acl/tokens?stale" ? 200 : 403;
  response.end(JSON.stringify(TOKENS));
};

afterEach(() => {
  process.env.PATH = PATH;
});

describe("the secrets of a cluster", () => {
  test("are its containers' files, and its tokens, which a server lists without a leader", async () => {
    containers();
    const { delivered, tokens } = await foundSecrets(await agents(lists));
    expect([...delivered.keys()].sort()).toEqual(["c1", "s1", "s2", "s3"]);
    expect(delivered.get("c1")).toEqual({
      files: new Map([
        ["ca.pem", `${old}\n`],
        ["management.header", "X-Consul-Token: all-rights\n"],
      ]),
    });
    expect(tokens).toEqual(TOKENS);
  });

  test("are unknown while a host is unreachable", async () => {
    containers({ unreachable: "10.0.0.4" });
    await expect(foundSecrets(await agents(lists))).rejects.toThrow(
      "containers cannot be read\n  c1 on c1: no route to host\n  bring the host back, or leave it out: --without HOST",
    );
  });

  test("may lack an agent that has no container yet", async () => {
    containers({ absent: "10.0.0.4" });
    const { delivered } = await foundSecrets(await agents(lists));
    expect(delivered.get("c1")).toEqual({ absent: "Error response from daemon: No such container: x" });
  });

  test("are unknown if no server lists the tokens", async () => {
    containers();
    const deny: Handler = (_, response) => {
      response.statusCode = 403;
      response.end("ACL not found");
    };
    await expect(foundSecrets(await agents(deny))).rejects.toThrow(
      /^no server lists the ACL tokens: s1: .*403.*ACL not found.*; s2: .*; s3: .*\n {2}one server has to run/,
    );
  });

  test("are nowhere if no server has a container", async () => {
    containers({ absent: "cp" });
    await expect(foundSecrets(await agents(lists))).rejects.toThrow(
      "no server lists the ACL tokens: no server's container has secrets",
    );
  });
});

describe("a CA", () => {
  const cluster = load(FOUR_HOSTS);

  test("is trusted by agents whose containers have it, beside others", async () => {
    containers({ ca: `${next}${old}` });
    expect(await notTrusting(cluster, new X509Certificate(old))).toEqual([]);
  });

  test("is not trusted by agents whose containers have another, nor known of those that are unreachable", async () => {
    containers({ unreachable: "10.0.0.4", absent: "10.0.0.3" });
    expect(await notTrusting(cluster, new X509Certificate(next))).toEqual([
      { agent: "c1", why: "no route to host" },
      { agent: "s1", why: "its container does not have it yet" },
      { agent: "s2", why: "its container does not have it yet" },
    ]);
  });

  test("is not trusted by an agent whose file is damaged", async () => {
    containers({ ca: "damaged" });
    expect(await notTrusting(cluster, new X509Certificate(old))).toHaveLength(4);
  });
});
