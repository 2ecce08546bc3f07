import { readFileSync } from "node:fs";
import { ContainerUnreachable, Unreachable } from "../../rollout/consul-api";
import type { ConsulConnection } from "../../rollout/consul-connection";
import { NO_CLI } from "../../rollout/docker-cli";
import { api, ContainerStandIn, type Handler } from "./container-stand-in";

const get = { method: "GET", path: "/v1/status/leader" } as const;

test("one docker CLI serves all requests, and is gone when the connection is closed", async () => {
  const container = new ContainerStandIn();
  const connection = container.connect(
    await api(({ url }, response) => response.setHeader("X-Consul-Index", "7").end(url)),
  );
  for (let count = 0; count < 20; count++)
    expect(await connection.send(get)).toEqual({ status: 200, body: get.path, index: 7 });
  expect(container.processes()).toEqual({ started: 1, running: 1 });
  await connection.close();
  expect(container.processes()).toEqual({ started: 1, running: 0 });
});

test("it finds the API by IPv6, where the container says so", async () => {
  const connection = new ContainerStandIn().connect(await api((_, response) => response.end("six"), "::1"));
  expect((await connection.send(get)).body).toBe("six");
  await connection.close();
});

test("a body goes as JSON, or as it is when it is text", async () => {
  const echo: Handler = (request, response) => request.pipe(response);
  const connection = new ContainerStandIn().connect(await api(echo));
  expect((await connection.send({ method: "PUT", path: "/v1/kv/a", body: { b: "ü" } })).body).toBe('{"b":"ü"}');
  expect((await connection.send({ method: "PUT", path: "/v1/kv/a", body: "owner" })).body).toBe("owner");
  await connection.close();
});

describe("the token", () => {
  const SECRETS = {
    "rollout.header": "X-Consul-Token: new",
    "former.header": "X-Consul-Token: old",
    "management.header": "X-Consul-Token: all",
  };
  const tellsToken: Handler = ({ headers }, response) => response.end(`${headers["x-consul-token"] ?? "none"}`);
  /** An API that takes one token, and says which it was. */
  const takes =
    (token: string): Handler =>
    (request, response) => {
      if (request.url?.startsWith("/v1/agent/members") && request.headers["x-consul-token"] !== token)
        response.statusCode = 403;
      tellsToken(request, response);
    };

  test.each([
    ["is the current one", "new", "new"],
    ["is the former one while the cluster does not know the current one", "old", "old"],
    ["is none while the cluster knows neither", "other", "none"],
  ])("%s", async (_, taken, sent) => {
    const connection = new ContainerStandIn(SECRETS).connect(await api(takes(taken)));
    expect((await connection.send(get)).body).toBe(sent);
    await connection.close();
  });

  test("is the management token for what needs it, and none for what is to be seen without", async () => {
    const connection = new ContainerStandIn(SECRETS).connect(await api(takes("new")));
    expect((await connection.send({ ...get, authority: "management" })).body).toBe("all");
    expect((await connection.send({ ...get, authority: "anonymous" })).body).toBe("none");
    await connection.close();
  });

  test.each([
    ["the one that may read services and checks", { ...SECRETS, "health.token": "watcher" }, "watcher"],
    ["the agent's own where there is none", SECRETS, "new"],
  ])("for services and checks is %s", async (_, secrets, sent) => {
    const connection = new ContainerStandIn(secrets).connect(await api(takes("new")));
    expect((await connection.send({ ...get, authority: "health" })).body).toBe(sent);
    await connection.close();
  });

  test("is tried again when the agent could not tell", async () => {
    let asked = 0;
    const connection = new ContainerStandIn(SECRETS).connect(
      await api((request, response) => {
        if (request.url?.startsWith("/v1/agent/members") && asked++ === 0) response.statusCode = 500;
        tellsToken(request, response);
      }),
    );
    expect([(await connection.send(get)).body, (await connection.send(get)).body, asked]).toEqual(["new", "new", 2]);
    await connection.close();
  });
});

test("a prelude runs in the container once, before the first request, and its lines are read", async () => {
  const container = new ContainerStandIn();
  const prelude = {
    script: `echo "$2 $1" | tee -a "${container.root}/runs"; cat; printf '%s\\n' last`,
    args: ["a b", "c"],
  };
  const connection = container.connect(await api(({ url }, response) => response.end(url)), { prelude });
  expect(await connection.preludeLines()).toEqual(["c a b", "last"]);
  await connection.close();
  expect((await connection.send(get)).body).toBe(get.path);
  expect(await connection.preludeLines()).toEqual(["c a b", "last"]);
  await connection.close();
  expect(readFileSync(`${container.root}/runs`, "utf8")).toBe("c a b\n");
});

describe("without an answer", () => {
  const failsWith = (kind: new (...args: string[]) => Error) => (connection: ConsulConnection) =>
    connection.send(get).then(
      () => "answered",
      (error: Error) => (error instanceof kind ? error.message : error),
    );
  /** The agent was reached, and did not answer. */
  const fails = failsWith(Unreachable);
  /** Nothing could be asked. */
  const isNotReached = failsWith(ContainerUnreachable);

  test("an API that stops in the middle of an answer is given up, and asked anew by another docker CLI", async () => {
    let asked = 0;
    const container = new ContainerStandIn();
    const connection = container.connect(
      await api((_, response) => {
        response.setHeader("Content-Length", "10");
        response.write("half ");
        if (asked++ > 0) response.end("whole");
      }),
      { answerSeconds: 1.5 },
    );
    expect(await fails(connection)).toBe("its API gave no answer within 1.5 s");
    expect(container.processes().running).toBe(0);
    expect((await connection.send(get)).body).toBe("half whole");
    await connection.close();
    expect(container.processes()).toEqual({ started: 2, running: 0 });
  });

  test("an answer that breaks off is none", async () => {
    const container = new ContainerStandIn();
    const connection = container.connect(
      await api((request, response) => {
        response.setHeader("Content-Length", "10");
        response.write("half ");
        setTimeout(() => request.socket.destroy(), 50);
      }),
    );
    expect(await fails(connection)).not.toBe("answered");
    expect(container.processes().running).toBe(0);
  });

  test("the docker CLI's own complaint is the reason", async () => {
    const container = new ContainerStandIn();
    container.program("docker", "#!/bin/sh\necho 'Error response from daemon: No such container: s1' >&2; exit 1");
    expect(await isNotReached(container.connect(""))).toBe("Error response from daemon: No such container: s1");
  });

  test("an address that nobody listens at, a docker CLI that hangs, and one that is not there", async () => {
    const container = new ContainerStandIn();
    expect(await fails(container.connect("http://127.0.0.1:1"))).toMatch(/Connection refused|ended with 1/);
    expect(await isNotReached(container.connect("", {}, "/nowhere/docker"))).toBe(NO_CLI);
    container.program("docker", "#!/bin/sh\nexec sleep 60");
    expect(await isNotReached(container.connect("", { connectSeconds: 0.3 }))).toBe(
      "its container was not reached within 0.3 s",
    );
    expect(container.processes().running).toBe(0);
  });
});
