import { ContainerScript } from "../container-script";

const container = () => new ContainerScript("backups/snapshot.sh", ["/consul/"]).program("curl", "cat; exit $CODE");
const URL = "http://127.0.0.1:8500/v1/snapshot";

test("a snapshot is streamed to the API, whose refusal and exit code are the script's", () => {
  const server = container();
  const { status, stdout } = server.run({ args: ["-T", "-"], input: "snapshot", env: { CODE: "22" } });
  expect([status, stdout]).toEqual([22, "snapshot"]);
  expect(server.calls()).toEqual([`curl -sS --fail-with-body --url ${URL} -T -`]);
});

test("the API's address is the one that it is given", () => {
  const server = container();
  server.run({ env: { CODE: "0", CONSUL_HTTP_ADDR: "http://[::1]:9500" } });
  expect(server.calls()).toEqual(["curl -sS --fail-with-body --url http://[::1]:9500/v1/snapshot"]);
});

test("the management token reaches curl by a file alone", () => {
  const server = container().write("/consul/secrets/management.header", "X-Consul-Token: secret\n");
  server.run({ args: ["-m", "60"], env: { CODE: "0" } });
  expect(server.calls()).toEqual([
    `curl -sS --fail-with-body --url ${URL} -H @/consul/secrets/management.header -m 60`,
  ]);
});
