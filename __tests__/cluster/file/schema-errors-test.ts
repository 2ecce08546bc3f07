import { clusterFile, FOUR_HOSTS, saidOf } from "../../cluster-files";

const messages = (text: string) => saidOf(clusterFile(text)).map(({ message }) => message);

describe("a key that means nothing is shown the nearest that does", () => {
  test.each([
    ["at the top", `${FOUR_HOSTS}datacentre: eu\n`, "datacenter"],
    ["of an agent", FOUR_HOSTS.replace("[c1]", "[{ name: c1, hostnme: a }]"), "hostname"],
    ["of a host", FOUR_HOSTS.replace("10.0.0.4", "{ addres: 10.0.0.4 }"), "address"],
    ["of ports", `${FOUR_HOSTS}ports: { sref_lan: 1 }\n`, "serf_lan"],
    ["of a daemon", FOUR_HOSTS.replace("ssh://root@{address}", "{ url: unix:///x, cert: a }"), "certs"],
    ["of a backend", `${FOUR_HOSTS}backend: { S3: { bucket: b } }\n`, "s3"],
    ["of resources", `${FOUR_HOSTS}resources: { memroy: 1 }\n`, "memory"],
  ])("%s", (_, text, name) =>
    expect(messages(text)).toEqual(expect.arrayContaining([expect.stringContaining(`; did you mean "${name}"?`)])),
  );

  test("and none, where none is near", () =>
    expect(messages(`${FOUR_HOSTS}kubernetes: yes\n`)).toEqual(['there is no key "kubernetes" here']));
});

describe("a name that is not found is shown the nearest that is there", () => {
  test("of a host", () =>
    expect(messages(FOUR_HOSTS.replace("[c1]", "[c11]"))).toEqual([expect.stringContaining('; did you mean "c1"?')]));
  test("to join", () =>
    expect(messages(`${FOUR_HOSTS}join: [s1, s33]\n`)).toEqual([expect.stringContaining('; did you mean "s3"?')]));
});

test("a mapping that was meant is not judged as a name: only what is wrong in it is said", () => {
  expect(
    saidOf(clusterFile(FOUR_HOSTS.replace("[c1]", "[{ name: c1, ports: { http: -1 } }]"))).map(
      ({ code, place }) => `${place} ${code}`,
    ),
  ).toEqual(["6:38 invalid-value"]);
});

test("an error shows the wrong value and its location", () => {
  expect(messages(`${FOUR_HOSTS}restart: sometimes\n`)).toEqual(['"sometimes" cannot be used as restart']);
});

test("a long value is cut short", () => {
  expect(messages(`${FOUR_HOSTS}restart: ${"x".repeat(1000)}\n`)[0]?.length).toBeLessThan(120);
});

test("line breaks and terminal codes in a file are shown, not obeyed", () => {
  expect(messages(`${FOUR_HOSTS}"a\\n\\e[31mb": 1\n`)).toEqual(['there is no key "a\\u000a\\u001b[31mb" here']);
});

test("a place is written in one way, wherever a message names it", () => {
  expect(messages(`${FOUR_HOSTS}services: [{ name: a, port: 0 }]\n`)).toEqual(["0 cannot be used as services[0].port"]);
  expect(messages(`${FOUR_HOSTS}services: [{ name: a, token: x }]\n`)).toEqual([
    expect.stringMatching(/^services\[0\]\.token is a secret/),
  ]);
  expect(messages(`${FOUR_HOSTS}flags: [-log-json, -encrypt=x]\n`)).toEqual([
    expect.stringMatching(/^flags\[1\] holds a secret/),
  ]);
});

test.each(["kv: { '': x }", "image: ''", "name: ''"])("of %s is said once that nothing is written there", (line) => {
  expect(
    messages(`${line.startsWith("name") ? FOUR_HOSTS.replace("name: c\n", "") : FOUR_HOSTS}${line}\n`),
  ).toHaveLength(1);
});

test("of a placeholder that is misspelt, the nearest is shown, and nothing that follows from it is said", () => {
  expect(messages(FOUR_HOSTS.replace("{address}", "{adress}"))).toEqual([
    'unknown placeholder {adress}; did you mean "address"?',
  ]);
});

test("a client address of another host is said once for all agents that have it", () => {
  expect(messages(`${FOUR_HOSTS}client_addr: 10.0.0.1\n`)).toEqual([
    '"s2" and 2 more would listen at 10.0.0.1, which is the address of another host, "s1"',
  ]);
});

test("an empty text is answered with what to do", () => {
  expect(saidOf(clusterFile(`${FOUR_HOSTS}bind_addr: ""\n`)).map(({ hint }) => hint)).toEqual([
    "write something here, or leave the key out",
  ]);
});
