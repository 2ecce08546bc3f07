import { STAGE_ON_THE_WIRE } from "../../consul/contract";
import { AGENT_SECRETS } from "../../consul/secrets";
import { FOUR_HOSTS } from "../cluster-files";
import { agentConfigOf, type ContainerJson, requestOf, synthesizeText } from "../synthesized";

/** Beside what every container has. */
interface Secured extends ContainerJson {
  readonly upload: readonly { file: string; content: string; source?: string; permissions?: string }[];
  readonly entrypoint?: string[];
  readonly capabilities?: { add: string[]; drop: string[] };
  readonly security_opts?: string[];
}

const stackOf = (security: string, more = "") => {
  const { stacks } = synthesizeText(`${FOUR_HOSTS.replace("security: off", `security: ${security}`)}${more}`);
  return stacks.c as NonNullable<typeof stacks.c>;
};
const agent = (name: string, security = "on", more = ""): Secured =>
  stackOf(security, more).resource.docker_container[name] as Secured;
const config = (name: string, security = "on", more = "") => agentConfigOf(agent(name, security, more));
const data = (name: string, security = "on") => stackOf(security).resource.terraform_data[name];

describe("by default, and with `security: on`", () => {
  test("a server sends and accepts TLS only, and its certificate must be a server's", () => {
    expect(config("s1").tls).toEqual({
      defaults: {
        ca_file: "/consul/secrets/ca.pem",
        cert_file: "/consul/secrets/cert.pem",
        key_file: "/consul/secrets/key.pem",
        verify_incoming: true,
        verify_outgoing: true,
      },
      internal_rpc: { verify_server_hostname: true },
    });
  });
  test("a client agent gets its certificate from the servers, for its own address", () => {
    expect(config("c1").auto_encrypt).toEqual({ tls: true, ip_san: ["10.0.0.4"] });
    expect(config("s1").auto_encrypt).toEqual({ allow_tls: true });
    expect(config("c1").tls).toMatchObject({
      defaults: { verify_outgoing: true },
      internal_rpc: { verify_server_hostname: true },
    });
  });
  test("ACLs deny", () => expect(config("c1").acl).toEqual({ enabled: true, default_policy: "deny" }));
  test("gossip is encrypted, both ways, which is Consul's default with a key", () => {
    expect(config("s1")).not.toHaveProperty("encrypt_verify_incoming");
    expect(agent("s1").command).toContain("-config-file=/consul/secrets/gossip.json");
  });
  test("plain HTTP listens on the agent's own host alone, wherever HTTPS and DNS listen", () => {
    expect(config("c1", "on", "client_addr: 0.0.0.0\n")).toMatchObject({
      addresses: { http: "127.0.0.1" },
      ports: { https: 8501 },
    });
  });
  test("clients reach the API by HTTPS", () => {
    expect(stackOf("on", "client_addr: 0.0.0.0\n").output.c1?.value).toMatchObject({
      http: "https://10.0.0.4:8501",
      dns: "10.0.0.4:8600",
    });
    expect(stackOf("on").output.c1?.value).toMatchObject({ http: "http://127.0.0.1:8500" });
  });
  test("a file without `security` is secured", () => {
    expect(synthesizeText(FOUR_HOSTS.replace("security: off\n", "")).texts).toEqual(
      synthesizeText(FOUR_HOSTS.replace("security: off", "security: on")).texts,
    );
  });
  test("script checks are off", () => {
    expect(config("c1")).toMatchObject({ enable_script_checks: false, enable_local_script_checks: false });
  });
});

describe("secrets", () => {
  test.each([
    ["s1", "server"],
    ["c1", "client"],
  ] as const)("of %s come from its own folder, and nothing of them is in the JSON", (name, role) => {
    const uploads = agent(name).upload.filter(({ file }) => file.startsWith("/consul/secrets/"));
    expect(uploads).toEqual(
      AGENT_SECRETS[role].map((file) => ({
        file: `/consul/secrets/${file}`,
        source: `../../../secrets/c/agents/${name}/${file}`,
        permissions: "0400",
        source_hash:
          file === "management.sha256"
            ? expect.stringContaining(`filesha256("../../../secrets/c/agents/${name}/${file}")`)
            : undefined,
      })),
    );
  });
  test("only servers have certificates in their secrets, and the management token", () => {
    const ofServers = AGENT_SECRETS.server.filter((file) => !AGENT_SECRETS.client.includes(file));
    expect([...ofServers].sort()).toEqual([
      "cert.pem",
      "key.pem",
      "management.header",
      "management.json",
      "management.sha256",
    ]);
  });
  test("can be in another folder", () => {
    expect(agent("c1", "{ secrets: /run/secrets/consul }").upload.map(({ source }) => source)).toContain(
      "/run/secrets/consul/agents/c1/ca.pem",
    );
  });
  test("are delivered to the running agent when they or its container change", () => {
    const { triggers_replace } = data("c1_secrets") ?? {};
    expect(JSON.stringify(triggers_replace)).toContain("docker_container.c1.id");
    expect(JSON.stringify(triggers_replace)).toContain("filesha256");
    expect(requestOf("deliver-secrets", data("c1_secrets"))).toEqual({
      step: "deliver-secrets",
      target: { daemon: "ssh://root@10.0.0.4", container: "c1" },
      folder: "../../../secrets/c/agents/c1",
      files: AGENT_SECRETS.client,
      seconds: 120,
    });
  });
  test("that are missing where Terraform runs fail the plan with a hint", () => {
    const { lifecycle } = data("c1_secrets") as unknown as {
      lifecycle: { precondition: { condition: string; error_message: string }[] };
    };
    expect(lifecycle.precondition[0]?.condition).toContain("fileexists");
    expect(lifecycle.precondition[0]?.error_message).toMatch(/secrets -- init.*execution mode/);
  });
});

describe("the capabilities of a secured container", () => {
  test("let it start as root, become Consul's user, and stop Consul", () => {
    expect(agent("c1").capabilities).toEqual({
      add: ["CAP_CHOWN", "CAP_KILL", "CAP_SETGID", "CAP_SETUID"],
      drop: ["ALL"],
    });
    expect(agent("c1").security_opts).toEqual(["no-new-privileges:true"]);
  });
  test("are more if it listens on a privileged port", () => {
    const dns = agent("c1", "on", "ports: { dns: 53 }\n");
    expect(dns.capabilities?.add).toEqual([
      "CAP_CHOWN",
      "CAP_KILL",
      "CAP_NET_BIND_SERVICE",
      "CAP_SETFCAP",
      "CAP_SETGID",
      "CAP_SETUID",
    ]);
    expect(dns.security_opts).toBeUndefined();
  });
  test("are Docker's default without security", () => {
    expect(agent("c1", "off").capabilities).toBeUndefined();
    expect(agent("c1", "off").entrypoint).toBeUndefined();
  });
});

describe("by stages", () => {
  test("permissive: keys and certificates are there, and no encryption is enforced", () => {
    expect(config("s1", "{ stage: permissive }")).toMatchObject({
      encrypt_verify_incoming: false,
      encrypt_verify_outgoing: false,
      tls: {
        defaults: { verify_incoming: false, verify_outgoing: false },
        internal_rpc: { verify_server_hostname: false },
      },
      acl: { default_policy: "allow" },
    });
    expect(config("c1", "{ stage: permissive }")).not.toHaveProperty("auto_encrypt");
    expect(config("s1", "{ stage: permissive }")).not.toHaveProperty("addresses");
    expect(agent("c1", "{ stage: permissive }").command.filter((flag) => flag.startsWith("-config-file"))).toEqual([
      "-config-file=/consul/secrets/gossip.json",
    ]);
  });
  test("outgoing: agents encrypt requests and use their tokens, and accept plain requests", () => {
    expect(config("s1", "{ stage: outgoing }")).toMatchObject({
      encrypt_verify_incoming: false,
      encrypt_verify_outgoing: true,
      tls: {
        defaults: { verify_incoming: false, verify_outgoing: true },
        internal_rpc: { verify_server_hostname: true },
      },
      acl: { default_policy: "allow" },
    });
    expect(config("c1", "{ stage: outgoing }")).toMatchObject({ auto_encrypt: { tls: true }, ports: { https: 8501 } });
    expect(agent("c1", "{ stage: outgoing }").command).toContain("-config-file=/consul/secrets/tokens.json");
  });
  test.each(["permissive", "outgoing", "strict"] as const)(
    "%s: is in the node's metadata, and in the pre-stop check",
    (stage) => {
      expect(config("c1", `{ stage: ${stage} }`).node_meta).toEqual({ "cdktf-security": STAGE_ON_THE_WIRE[stage] });
      const request = requestOf("pre-stop", agent("s1", `{ stage: ${stage} }`));
      expect({ stage: request.next.stage, limit: request.limit }).toEqual({ stage, limit: 3 });
    },
  );
});

describe("the steps of a deploy", () => {
  test("tokens are created after the servers' readiness checks, and before their delivery, the voters' step and client agents' checks", () => {
    expect(data("consul_acl")?.depends_on).toEqual(["s1", "s2", "s3"].map((name) => `terraform_data.${name}`));
    for (const later of ["consul_quorum", "consul_gossip", "c1", "c1_secrets", "s1_secrets"]) {
      expect({ later, after: data(later)?.depends_on }).toEqual({
        later,
        after: expect.arrayContaining(["terraform_data.consul_acl"]),
      });
    }
    expect(data("consul_gossip")?.depends_on).toEqual(
      expect.arrayContaining(["s1", "s2", "s3"].map((name) => `terraform_data.${name}_secrets`)),
    );
  });
  test("ACLs and definitions are given the file of tokens, not the tokens", () => {
    const file = "../../../secrets/c/acl.json";
    expect(requestOf("acl", data("consul_acl")).secrets).toBe(file);
    expect(requestOf("definitions", data("consul_definitions")).secrets).toBe(file);
    expect(requestOf("definitions", data("consul_definitions", "off"))).not.toHaveProperty("secrets");
  });
  test("an agent gets its services after its readiness check and its secrets", () => {
    expect(data("c1_services")?.depends_on).toEqual(["terraform_data.c1", "terraform_data.c1_secrets"]);
  });
  test("every stack with servers creates tokens before it delivers them; the last one changes the gossip key", () => {
    const racks = FOUR_HOSTS.replace("security: off", "security: on")
      .replace("s1: 10.0.0.1", "s1: { address: 10.0.0.1, group: a }")
      .replace("c1: 10.0.0.4", "c1: { address: 10.0.0.4, group: b }");
    const { stacks } = synthesizeText(racks);
    const steps = (stack: string) =>
      Object.keys(stacks[stack]?.resource.terraform_data ?? {}).filter((id) => /^consul_/.test(id));
    expect({ a: steps("c-a"), b: steps("c-b"), c: steps("c") }).toEqual({
      a: ["consul_acl"],
      b: [],
      c: ["consul_acl", "consul_autopilot", "consul_definitions", "consul_gossip", "consul_quorum"],
    });
  });
  test("are none without security", () => {
    const ofAgents = ["c1", "s1", "s2", "s3"].flatMap((name) => [name, `${name}_services`]);
    expect(Object.keys(stackOf("off").resource.terraform_data)).toEqual(
      [...ofAgents, "consul_autopilot", "consul_definitions", "consul_quorum"].sort(),
    );
  });
});
