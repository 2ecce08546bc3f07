import type { Container } from "../../../ops/docker/container";
import { mayBelongTo, ownerOf } from "../../../ops/inspect/ownership";

const container = (config: Partial<Container["Config"]>, destination = "/data"): Container =>
  ({
    Config: { Cmd: null, Entrypoint: null, Labels: null, ...config },
    Mounts: [{ Type: "bind", Source: "", Destination: destination }],
  }) as unknown as Container;
const HEALTH = { Healthcheck: { Test: ["CMD", "/bin/sh", "/consul/health.sh"] } };

test("a container's labels say what it is", () => {
  const Labels = { "consul-cdktf.role": "client", "consul-cdktf.cluster": "c", "consul-cdktf.agent": "web1" };
  expect(ownerOf(container({ Labels }))).toEqual({ role: "client", cluster: "c", agent: "web1" });
});

test.each<[string, Container, string | undefined]>([
  ["a server", container({ ...HEALTH, Cmd: ["agent", "-server"] }), "server"],
  ["a client agent", container({ ...HEALTH, Cmd: ["agent"] }), "client"],
  ["scheduled backups", container({ Entrypoint: ["/usr/bin/dumb-init", "/bin/sh", "/consul/backups.sh"] }), "backups"],
  ["registrator", container({ Cmd: ["consul://127.0.0.1:8500"] }, "/tmp/docker.sock"), "registrator"],
  ["a container of others", container({ Cmd: ["agent", "-server"] }), undefined],
])("without labels, it is told by what it runs: %s", (_, found, role) => expect(ownerOf(found)?.role).toBe(role));

test.each([
  [{ cluster: "c", agent: "s1" }, true],
  [{ cluster: "c", agent: "s2" }, false],
  [{ cluster: "other", agent: "s1" }, false],
  [{ cluster: "c" }, true],
  [{ agent: "s1" }, true],
  [{}, true],
])("a container of %j may belong to the agent s1 of c: %s", (owner, expected) =>
  expect(mayBelongTo({ role: "server", ...owner }, { cluster: "c", agent: "s1" })).toBe(expected),
);
