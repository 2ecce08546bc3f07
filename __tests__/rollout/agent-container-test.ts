import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { AgentContainer } from "../../rollout/agent-container";
import { ContainerUnreachable } from "../../rollout/consul-api";
import { ContainerStandIn } from "./container-stand-in";

/** An agent's container, with its data in a folder. */
function container({ certs }: { certs?: string } = {}) {
  const standIn = new ContainerStandIn();
  const { root } = standIn;
  mkdirSync(join(root, "data"));
  standIn.program("su-exec", '#!/bin/sh\n[ "$1" = consul ] && shift && exec "$@"\n');
  const env = { PATH: standIn.path, CONSUL_DATA_DIR: join(root, "data"), HOME: "/home/op" };
  const agent = new AgentContainer({ daemon: "ssh://root@h1", certs, container: "s1" }, { env, folder: "/stacks/c" });
  /** BusyBox's, as in Consul's image: at the end of its input it closes its own side, and waits for the other one. */
  standIn.program(
    "nc",
    `#!${process.execPath}
const [host, port] = process.argv.slice(2);
const connection = require("node:net").connect({ host, port }).resume();
connection.on("error", () => process.exit(1)).on("close", () => process.exit(0));
connection.end();
`,
  );
  const stop = () => standIn.program("docker", "#!/bin/sh\necho 'container s1 is not running' >&2\nexit 1\n");
  return { agent, root, calls: () => standIn.calls(), stop };
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
  const questions = [
    agent.wasReady(),
    agent.markReady(),
    agent.connects(["10.0.0.1:8300"]),
    agent.isSecured(),
    agent.gossipKey(),
    agent.readSecret("tokens.json"),
  ];
  const reason = new ContainerUnreachable("container s1 is not running");
  await Promise.all(questions.map((question) => expect(question).rejects.toThrow(reason)));
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
  test("to a program that hangs, whose host takes the connection and keeps it: it does not count, and is not waited for", async () => {
    const taken: Socket[] = [];
    const hanging = createServer({ allowHalfOpen: true }, (socket) => taken.push(socket.resume()));
    hanging.listen(0, "127.0.0.1");
    await once(hanging, "listening");
    const address = `127.0.0.1:${(hanging.address() as AddressInfo).port}`;
    const listens = `127.0.0.1:${port()}`;
    expect(await container().agent.connects([address, listens])).toEqual(new Set([listens]));
    for (const socket of taken) socket.destroy();
    hanging.close();
  });
  test("to none, without asking the container", async () => {
    const { agent, stop } = container();
    stop();
    expect(await agent.connects([])).toEqual(new Set());
  });
});

test("a file of the agent's secrets is read, if there is one, and so is the gossip key", async () => {
  const { agent, root } = container();
  expect([await agent.readSecret("gossip.json"), await agent.gossipKey()]).toEqual(["", undefined]);
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
