import { HEAD } from "../cluster-files";
import { stackOf, synthesizeText } from "../synthesized";

const stopOf = (text: string, agent: string) => {
  const container = stackOf(synthesizeText(text), "c").resource.docker_container[agent] as unknown as {
    provisioner: { "local-exec": { when: string; environment: Record<string, string> } }[];
  };
  return container.provisioner[0]?.["local-exec"];
};
const CLUSTER = `${HEAD}hosts: { s1: 10.0.0.1, s2: 10.0.0.2, s3: 10.0.0.3, c1: 10.0.0.4 }\nservers: [s1, { name: s2, container: two, node: second }, s3]\nclients: [c1]\nwait: 77\n`;

test("before a server stops, it is asked first, and then the others, by the names that the containers have", () => {
  const { when, environment } = stopOf(CLUSTER, "s2") ?? { environment: {} as Record<string, string> };
  expect(when).toBe("destroy");
  expect(environment.ASK_TARGETS?.split("\n")).toEqual([
    "-H ssh://root@10.0.0.2 exec -i '${self.name}'",
    "-H ssh://root@10.0.0.1 exec -i s1",
    "-H ssh://root@10.0.0.3 exec -i s3",
  ]);
});

test("the lock's owner is the agent's Terraform id, and the node is the one that runs: new names change neither", () => {
  const { ASK_ARGUMENTS } = stopOf(CLUSTER, "s2")?.environment ?? {};
  expect(ASK_ARGUMENTS).toBe(`77 s2 '\${one([for word in self.command : trimprefix(word, "-node=") if startswith(word, "-node=")])}'`);
});

test("a client is not asked for, but the next image has to be on its host too", () => {
  const environment = stopOf(`${CLUSTER}mirror: r.example:5000\nimage: hashicorp/consul:1.21.5\n`, "c1")?.environment;
  expect(environment).toMatchObject({ STOP_CONTAINER: "${self.name}", STOP_IMAGE: "r.example:5000/hashicorp/consul:1.21.5", STOP_SECONDS: "77" });
  expect(environment).not.toHaveProperty("ASK");
});
