import { effectivePorts, listeners } from "../../consul/ports";

test("a server's ports are Consul's defaults", () => {
  expect(effectivePorts("server")).toEqual({
    dns: 8600,
    http: 8500,
    https: -1,
    grpc: -1,
    grpc_tls: 8503,
    serf_lan: 8301,
    serf_wan: 8302,
    server: 8300,
  });
});
test("a client agent has no gRPC by default", () => expect(effectivePorts("client").grpc_tls).toBe(-1));
test("ports that are set replace the defaults, and undefined ones do not", () => {
  expect(effectivePorts("client", { http: 80, dns: undefined })).toMatchObject({ http: 80, dns: 8600 });
});
const AT = { client: ["127.0.0.2"], bind: "10.0.0.1", httpsOnly: false };
test("a server listens for other servers, a client does not", () => {
  const names = (role: "server" | "client") => listeners(role, effectivePorts(role), AT).map(({ name }) => name);
  expect(names("server")).toEqual(["dns", "http", "grpc_tls", "serf_lan", "serf_wan", "server"]);
  expect(names("client")).toEqual(["dns", "http", "serf_lan"]);
});
test("nothing listens on a port that is off", () => {
  expect(listeners("client", effectivePorts("client", { dns: -1 }), AT).map(({ name }) => name)).toEqual([
    "http",
    "serf_lan",
  ]);
});
test("plain HTTP listens at the client addresses, or at loopback if only HTTPS is open to other hosts", () => {
  const where = (httpsOnly: boolean) =>
    Object.fromEntries(
      listeners("client", effectivePorts("client"), { ...AT, httpsOnly }).map(({ name, addresses }) => [
        name,
        addresses,
      ]),
    );
  expect(where(false)).toEqual({ dns: ["127.0.0.2"], http: ["127.0.0.2"], serf_lan: ["10.0.0.1"] });
  expect(where(true)).toMatchObject({ dns: ["127.0.0.2"], http: ["127.0.0.1"] });
});
