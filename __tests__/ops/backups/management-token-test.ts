import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { IN_CONTAINER, reclaimManagementToken } from "../../../ops/backups/management-token";
import { type ConsulAnswer, type ConsulRequest, Unreachable } from "../../../rollout/consul-api";
import { folder } from "../../cluster-files";
import { Simulation } from "../../rollout/simulation";

const SECRET = "5ec7e7";
const HEADER = `X-Consul-Token: ${SECRET}\n`;
const GLOBAL = [{ ID: "00000000-0000-0000-0000-000000000001" }];
const json = (value: unknown): ConsulAnswer => ({ status: 200, body: JSON.stringify(value) });

/** A server after a restore, whose cluster does not accept the management token of its secrets. */
class RestoredServer {
  readonly simulation = new Simulation();
  readonly log: string[] = [];
  readonly scripts: string[] = [];
  readonly sent: ConsulRequest[] = [];
  header = HEADER;
  leader = "10.0.0.1:8300";
  /** Whether it reads the reset file: the leader does. */
  leads = true;
  accepted = false;
  /** The answer to an update of the token. */
  update = json({});
  /** The answer to a bootstrap without a reset file. */
  refusal: ConsulAnswer | "none" = { status: 403, body: "ACL bootstrap no longer allowed (reset index: 13)" };
  private resetIndex: string | undefined;

  readSecret = async (name: string) => (name === "management.header" ? this.header : "");
  run = async (script: string, ...args: string[]) => {
    this.scripts.push([script === IN_CONTAINER.writeReset ? "write" : "remove", ...args].join(" "));
    this.resetIndex = args[0];
    return "";
  };
  readonly api = {
    send: async (request: ConsulRequest) => {
      this.sent.push(request);
      return this.answer(request);
    },
  };

  reclaim() {
    const { clock } = this.simulation;
    return this.simulation.until(reclaimManagementToken(this, 5, clock, (line) => this.log.push(line)));
  }

  private answer({ path }: ConsulRequest): ConsulAnswer {
    if (path === "/v1/status/leader") return json(this.leader);
    if (path === "/v1/acl/token/self") return this.accepted ? json({ Policies: GLOBAL }) : { status: 403, body: "" };
    if (path === "/v1/acl/token/accessor") return this.update;
    if (this.leads && this.resetIndex === "13") return json({ AccessorID: "accessor", SecretID: SECRET });
    if (this.refusal === "none") throw new Unreachable("no answer");
    return this.refusal;
  }
}

let server: RestoredServer;
beforeEach(() => {
  server = new RestoredServer();
});
const pathsOf = ({ sent }: RestoredServer) => sent.map(({ path }) => path);
const NOT_THE_CLUSTERS = "the management token of this server's secrets is not the cluster's";

test("without security nothing is asked", async () => {
  server.header = "";
  expect([await server.reclaim(), server.sent]).toEqual([undefined, []]);
});

test("a token that the cluster accepts is left alone", async () => {
  server.accepted = true;
  expect([await server.reclaim(), pathsOf(server), server.log]).toEqual([undefined, ["/v1/acl/token/self"], []]);
});

test("the leader is given the token by a reset of the ACL bootstrap, and the token the product's description", async () => {
  expect(await server.reclaim()).toBeUndefined();
  expect(server.sent.slice(2)).toEqual([
    ...Array.from({ length: 2 }, () => ({
      method: "PUT",
      path: "/v1/acl/bootstrap",
      body: { BootstrapSecret: SECRET },
      authority: "anonymous",
      waitSeconds: 5,
    })),
    {
      method: "PUT",
      path: "/v1/acl/token/accessor",
      body: {
        AccessorID: "accessor",
        Description: "consul-cdktf: management",
        Policies: [{ Name: "global-management" }],
      },
      authority: "management",
      waitSeconds: 5,
    },
  ]);
  expect(server.scripts).toEqual(["write 13", "remove"]);
  expect(server.log).toEqual(["the management token of the secrets is the cluster's again"]);
});

test("on a server that is not the leader, no reset file stays", async () => {
  server.leads = false;
  expect(await server.reclaim()).toBe(`${NOT_THE_CLUSTERS}: ACL bootstrap no longer allowed (reset index: 13)`);
  expect(server.scripts.slice(-2)).toEqual(["write 13", "remove"]);
});

test("no reset file stays either if the server's answer is lost", async () => {
  const { send } = server.api;
  server.api.send = async (request) => {
    if (server.scripts.length > 0) server.refusal = "none";
    return send(request);
  };
  server.leads = false;
  expect(await server.reclaim()).toBe(`${NOT_THE_CLUSTERS}: no answer`);
  expect(server.scripts).toEqual(["write 13", "remove"]);
});

test("a cluster without ACLs so far accepts the token at once", async () => {
  server.refusal = json({ AccessorID: "accessor", SecretID: SECRET });
  expect([await server.reclaim(), server.scripts]).toEqual([undefined, []]);
});

test("nothing is claimed without a leader", async () => {
  server.leader = "";
  expect(await server.reclaim()).toBe(`${NOT_THE_CLUSTERS}: there is no leader`);
  expect(pathsOf(server)).not.toContain("/v1/acl/bootstrap");
  expect(server.simulation.seconds).toBe(5);
});

test.each<[string, ConsulAnswer, string]>([
  ["as Consul gives it, but short", { status: 500, body: `x\n${"y".repeat(300)}` }, `x ${"y".repeat(198)}`],
  ["without the answer of a success, which holds a SecretID", json({ SecretID: SECRET }), "its answer has no token"],
])("the reason is given %s", async (_, refusal, why) => {
  server.refusal = refusal;
  expect(await server.reclaim()).toBe(`${NOT_THE_CLUSTERS}: ${why}`);
});

test("a token that cannot be described is not the cluster's yet, and its SecretID is in no message", async () => {
  server.update = { status: 403, body: "Permission denied" };
  expect(await server.reclaim()).toBe(`${NOT_THE_CLUSTERS}: 403: Permission denied`);
});

test("the reset file is written and removed in the agent's data, as Consul's user", () => {
  const root = folder();
  const data = join(root, "data");
  mkdirSync(data);
  writeFileSync(join(root, "su-exec"), '#!/bin/sh\n[ "$1" = consul ] && shift && exec "$@"\n');
  chmodSync(join(root, "su-exec"), 0o755);
  const env = { PATH: `${root}:${process.env.PATH}`, CONSUL_DATA_DIR: data };
  const run = (script: string, ...args: string[]) => spawnSync("/bin/sh", ["-c", script, "sh", ...args], { env });
  const file = join(data, "acl-bootstrap-reset");
  run(IN_CONTAINER.writeReset, "13");
  expect(readFileSync(file, "utf8")).toBe("13\n");
  run(IN_CONTAINER.removeReset);
  expect(existsSync(file)).toBe(false);
});
