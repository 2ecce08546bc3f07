import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { AgentContainer } from "../../rollout/agent-container";
import { ContainerUnreachable } from "../../rollout/consul-api";
import { folder } from "../cluster-files";

/** A container that is a folder: its data, its secrets, and stand-ins for the docker CLI, nc and su-exec. */
function container({ certs }: { certs?: string } = {}) {
  const root = folder();
  for (const name of ["data", "secrets", "bin"]) mkdirSync(join(root, name));
  const program = (name: string, text: string) => {
    writeFileSync(join(root, "bin", name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(root, "bin", name), 0o755);
  };
  program(
    "docker",
    `printf '%s\\n' "$*" | head -n 1 >>"${root}/calls"
[ -e "${root}/down" ] && { echo "container s1 is not running" >&2; exit 1; }
while [ "$1" != s1 ]; do shift; done; shift
case $1 in cat) exec cat "${root}/secrets/\${2##*/}" ;; esac
exec "$@"`,
  );
  program("su-exec", '[ "$1" = consul ] && shift && exec "$@"');
  program(
    "nc",
    `exec ${process.execPath} -e '
const [, , host, port] = process.argv.slice(1);
require("node:net").connect(port, host).on("connect", () => process.exit(0)).on("error", () => process.exit(1));' -- "$@"`,
  );
  const env = {
    PATH: `${join(root, "bin")}:${process.env.PATH}`,
    CONSUL_DATA_DIR: join(root, "data"),
    HOME: "/home/op",
  };
  const agent = new AgentContainer({ daemon: "ssh://root@h1", certs, container: "s1" }, { env, folder: "/stacks/c" });
  return {
    agent,
    root,
    calls: () => readFileSync(join(root, "calls"), "utf8").trim().split("\n"),
    stop: () => writeFileSync(join(root, "down"), ""),
  };
}

test("an agent was ready before when its data say so; the mark is made as Consul's user", async () => {
  const { agent, root } = container();
  expect(await agent.wasReady()).toBe(false);
  await agent.markReady();
  expect(existsSync(join(root, "data/was-in"))).toBe(true);
  expect(await agent.wasReady()).toBe(true);
});

test("without an answer of the container nothing is said about it", async () => {
  const { agent, stop } = container();
  stop();
  for (const question of [agent.wasReady(), agent.markReady(), agent.connects(["10.0.0.1:8300"]), agent.isSecured()])
    await expect(question).rejects.toThrow(new ContainerUnreachable("container s1 is not running"));
  expect(await agent.gossipKey()).toBeUndefined();
});

describe("a connection is tried from the container", () => {
  let server: Server;
  beforeAll((done) => {
    server = createServer((socket) => socket.end()).listen(0, "127.0.0.1", done);
  });
  afterAll((done) => {
    server.close(done);
  });
  const port = () => (server.address() as { port: number }).port;

  test("to a port that listens, to one that does not, and to an IPv6 address", async () => {
    const listen = [`127.0.0.1:${port()}`, `[::ffff:127.0.0.1]:${port()}`];
    expect(await container().agent.connects([...listen, "127.0.0.1:1"])).toEqual(new Set(listen));
  });
  test("to none, without asking the container", async () => {
    const { agent, stop } = container();
    stop();
    expect(await agent.connects([])).toEqual(new Set());
  });
});

test("the gossip key is read from the agent's secrets", async () => {
  const { agent, root } = container();
  writeFileSync(join(root, "secrets/gossip.json"), '{"encrypt":"a2V5"}');
  expect(await agent.gossipKey()).toBe("a2V5");
  writeFileSync(join(root, "secrets/gossip.json"), "half a fi");
  expect(await agent.gossipKey()).toBeUndefined();
});

test.each([
  [undefined, "-H ssh://root@h1 exec"],
  [
    "../../certs",
    "-H ssh://root@h1 --tlsverify --tlscacert=/certs/ca.pem --tlscert=/certs/cert.pem --tlskey=/certs/key.pem exec",
  ],
  ["/etc/tls", "--tlscacert=/etc/tls/ca.pem"],
])("the daemon is reached with the certificates of %s", async (certs, begin) => {
  const { agent, calls } = container({ certs });
  await agent.wasReady();
  expect(calls()[0]).toContain(begin);
});

test("~ is the operator's home folder", async () => {
  const { agent, calls } = container({ certs: "~/.docker" });
  await agent.wasReady();
  expect(calls()[0]).toMatch(/--tlscacert=\/(?!stacks)[^~]*\/\.docker\/ca\.pem/);
});
