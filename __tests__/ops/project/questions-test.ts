import { askForSettings } from "../../../ops/project/questions";

const GIVEN = {
  name: "consul",
  privateFolder: "../mine-private",
  servers: [],
  clients: [],
  daemon: "ssh://root@{address}",
  cdktn: false,
};

/** Gives the answers in turn. Each reason stands behind the answer that it is for. */
async function asked(...answers: string[]) {
  const dialogue: string[] = [];
  const rest = [...answers];
  const ask = async () => {
    const answer = rest.shift() as string;
    dialogue.push(answer);
    return answer;
  };
  const settings = await askForSettings(GIVEN, ask, (reason) => dialogue.push(reason));
  return { settings, dialogue, rest };
}

test("no answer takes what is suggested", async () =>
  expect(await asked("", "node1=10.0.0.11, node2=10.0.0.12 node3=10.0.0.13", "", "")).toMatchObject({
    settings: {
      ...GIVEN,
      servers: [
        { name: "node1", address: "10.0.0.11" },
        { name: "node2", address: "10.0.0.12" },
        { name: "node3", address: "10.0.0.13" },
      ],
    },
    rest: [],
  }));

test("a bad answer is asked for again at once, with the reason", async () => {
  const { settings, dialogue } = await asked(
    "pay ments",
    "payments",
    "node1",
    "",
    "node_1=10.0.0.11",
    "node1=10.0.0.11",
    "web1=10.0.0.11",
    "web1=10.0.0.21",
    "htp:/x",
    "tcp://{address}:2376",
  );
  expect(settings).toEqual({
    ...GIVEN,
    name: "payments",
    servers: [{ name: "node1", address: "10.0.0.11" }],
    clients: [{ name: "web1", address: "10.0.0.21" }],
    daemon: "tcp://{address}:2376",
  });
  const reasonFor = (answer: string) => dialogue[dialogue.indexOf(answer) + 1];
  expect(reasonFor("pay ments")).toContain("cluster name");
  expect(reasonFor("node1")).toContain("NAME=ADDRESS");
  expect(reasonFor("")).toContain("server");
  expect(reasonFor("node_1=10.0.0.11")).toContain("node_1");
  expect(reasonFor("web1=10.0.0.11")).toContain("10.0.0.11");
  expect(reasonFor("htp:/x")).toContain("htp:/x");
});
