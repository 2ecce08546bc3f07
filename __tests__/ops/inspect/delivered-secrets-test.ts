import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AGENT_SECRETS } from "../../../consul/secrets";
import { deliveredSecrets } from "../../../ops/inspect/delivered-secrets";
import type { StateResource } from "../../../ops/terraform/state";
import { load } from "../../cluster-files";
import { stackOf, synthesizeCluster } from "../../synthesized";

const folder = mkdtempSync(join(tmpdir(), "consul-cdktf-given-"));
afterAll(() => rmSync(folder, { recursive: true }));
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

const cluster = load(`name: c
security: { secrets: ${folder} }
daemon: ssh://root@{address}
hosts: { s1: 10.0.0.1, c1: 10.0.0.4 }
servers: [s1]
clients: [c1]
`);
const [client, server] = cluster.agents as [(typeof cluster.agents)[number], (typeof cluster.agents)[number]];
const place = join(folder, "agents", "s1");
mkdirSync(place, { recursive: true });
for (const file of AGENT_SECRETS.server) writeFileSync(join(place, file), file);

/** The step in the Terraform state, after a deploy with such a trigger. */
const step = (trigger: string): StateResource => ({
  ...{
    address: "terraform_data.s1_secrets",
    mode: "managed",
    type: "terraform_data",
    name: "s1_secrets",
    tainted: false,
    deposed: false,
  },
  attributes: { triggers_replace: { value: ["container's id", trigger], type: ["tuple", ["string", "string"]] } },
});
const deployed = sha256(AGENT_SECRETS.server.map(sha256).join(" "));

test("they are the files of the agent's secrets, by their paths in its container", () => {
  const given = deliveredSecrets(cluster, server, step(deployed));
  expect(given?.hashes.get("/consul/secrets/ca.pem")).toBe(sha256("ca.pem"));
  expect(given?.hashes.size).toBe(AGENT_SECRETS.server.length);
});
test("the last deploy delivered exactly these, or others, or none", () => {
  expect(deliveredSecrets(cluster, server, step(deployed))?.deployed).toBe(true);
  expect(deliveredSecrets(cluster, server, step(sha256("others")))?.deployed).toBe(false);
  expect(deliveredSecrets(cluster, server, undefined)?.deployed).toBe(false);
});
test("there are none without the folder, or when it lacks one of them", () => {
  expect(deliveredSecrets(cluster, client, undefined)).toBeUndefined();
  expect(deliveredSecrets({ ...cluster, security: undefined }, server, undefined)).toBeUndefined();
});

test("the hash of the delivered secrets is the one that Terraform computes for the step's trigger", () => {
  const { terraform_data: steps } = stackOf(synthesizeCluster(cluster), "c").resource;
  const trigger = Object.values(steps.s1_secrets?.triggers_replace ?? {}).at(-1) ?? "";
  const [, names] = HASH_EXPRESSION.exec(trigger) ?? [];
  expect([trigger, names]).toEqual([expect.any(String), expect.any(String)]);
  const hash = sha256((JSON.parse(names as string) as string[]).map(sha256).join(" "));
  expect(deliveredSecrets(cluster, server, step(hash))?.deployed).toBe(true);
});

/** The SHA-256 of the files' SHA-256, joined by blanks: the form of `secretsHash` in constructs/agent-security.ts. */
const HASH_EXPRESSION =
  /^\$\{sha256\(join\(" ", \[for name in (\[.*?\]) : fileexists\("(.*)"\) \? filesha256\("\2"\) : "missing"\]\)\)\}$/;
