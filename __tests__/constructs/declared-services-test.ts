import { FOUR_HOSTS } from "../cluster-files";
import { synthesizeOwn } from "../own-stack";
import { rendered, requestOf, stackOf, synthesizeText } from "../synthesized";

const step = (text: string, agent = "c1") =>
  stackOf(synthesizeText(text), "c").resource.terraform_data[`${agent}_services`];
/** What the agent's container gets. The step runs again when that changes. */
const given = (text: string, agent = "c1") => {
  const resource = step(text, agent);
  const { declared } = requestOf("services", resource);
  expect(rendered(Object.values(resource?.triggers_replace ?? {})[1] ?? "")).toBe(declared);
  return JSON.parse(declared);
};
const own = (services: string) =>
  FOUR_HOSTS.replace("[c1]", `[{ name: c1, node: n1, ready_timeout: 7, services: ${services} }]`);

test("an agent gets its own and the cluster's services and checks, sorted by id", () => {
  const text = `${own("[{ name: web, id: z, port: 80 }, { name: api }]")}services: [{ name: exporter }]\nchecks: [{ name: disk, ttl: 1h }]\n`;
  expect(given(text)).toEqual({
    checks: [{ name: "disk", ttl: "1h" }],
    services: [{ name: "api" }, { name: "exporter" }, { id: "z", name: "web", port: 80 }],
  });
  expect(given(text, "s1").services).toEqual([{ name: "exporter" }]);
});
test("an agent without declared services gets an empty list, which removes earlier ones", () =>
  expect(given(FOUR_HOSTS)).toEqual({}));
test("the step runs in the agent's container, with the timeout of the readiness check", () => {
  expect(requestOf("services", step(own("[{ name: web }]")))).toEqual({
    step: "services",
    target: { daemon: "ssh://root@10.0.0.4", container: "c1" },
    role: "client",
    node: "n1",
    declared: '{"services":[{"name":"web"}]}',
    seconds: 7,
  });
});
test("the step is repeated when the container is replaced, after the readiness check", () => {
  const { triggers_replace, depends_on } = step(FOUR_HOSTS) ?? {};
  expect(Object.values(triggers_replace ?? {})[0]).toBe("${docker_container.c1.id}");
  expect(depends_on).toEqual(["terraform_data.c1"]);
});
test("text that looks like a Terraform expression is escaped", () => {
  expect(given(own("[{ name: web, meta: { a: '${x}', b: '%{y}' } }]")).services[0].meta).toEqual({
    a: "${x}",
    b: "%{y}",
  });
});
test("an agent that is decommissioned gets none", () => {
  const text = FOUR_HOSTS.replace("[c1]", "[{ name: c1, decommission: true, services: [{ name: web }] }]");
  expect(step(text)).toBeUndefined();
});
test("a client agent in a user's own stack has services too", () => {
  const { stacks } = synthesizeOwn((stack) => {
    const { services } = stack.client(1, {
      services: [{ name: "web", port: 80 }],
      checks: [{ name: "disk", ttl: "1h" }],
    });
    expect(services?.resource.friendlyUniqueId).toBe("c1_services");
  });
  expect(Object.values(stacks.mine?.resource.terraform_data.c1_services?.triggers_replace ?? {})[1]).toBe(
    '{"checks":[{"name":"disk","ttl":"1h"}],"services":[{"name":"web","port":80}]}',
  );
});
