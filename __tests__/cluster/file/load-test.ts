import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadCluster, selectClusterFile } from "../../../cluster/file/load";
import { clusterFile, FOUR_HOSTS, folder, load } from "../../cluster-files";

describe("YAML", () => {
  test("with Windows' line ends is read", () =>
    expect(load(FOUR_HOSTS.replaceAll("\n", "\r\n")).agents).toHaveLength(4));
  test("with a byte order mark is read", () => expect(load(`\uFEFF${FOUR_HOSTS}`).agents).toHaveLength(4));
  test("that is JSON is read", () => {
    expect(
      load(
        JSON.stringify({ name: "c", security: "off", daemon: "unix:///x", hosts: { s1: "10.0.0.1" }, servers: ["s1"] }),
      ).agents,
    ).toHaveLength(1);
  });
  test("with a document's start is read", () => expect(load(`---\n${FOUR_HOSTS}`).agents).toHaveLength(4));
  test("with anchors that are used a few times is read", () => {
    const { agents } = load(`${FOUR_HOSTS.replace("[c1]", "[{ name: c1, labels: &l { a: b } }]")}labels: *l\n`);
    expect(agents.map(({ labels }) => labels)).toEqual(Array(4).fill({ a: "b" }));
  });
  test("may have a key that is written as YAML 1.1 merges", () => {
    expect(load(`${FOUR_HOSTS}labels: { "<<": b }\n`).agents[0]?.labels).toEqual({ "<<": "b" });
  });
  test("may nest 100 levels deep, and hold a text there", () => {
    const nested = `${Array.from({ length: 98 }, (_, level) => `${" ".repeat(level + 1)}a:\n`).join("")}${" ".repeat(99)}a: |\n${" ".repeat(100)}text\n`;
    expect(JSON.stringify(load(`${FOUR_HOSTS}config:\n${nested}`).agents[0]?.config)).toContain('"text\\n"');
  });
  test("takes `off` and `no` for words, as YAML 1.2 does", () =>
    expect(load(`${FOUR_HOSTS}restart: no\n`).agents[0]?.restart).toBe("no"));
});

test("a problem of a value behind an alias is placed where the alias is used", () => {
  expect(() => load(`${FOUR_HOSTS.replace("[c1]", "[{ name: c1, config: &x { anything: 1 } }]")}ports: *x\n`)).toThrow(
    /:7:1: error unknown-key: there is no key "anything"/,
  );
});

describe("the cluster file", () => {
  const inside = (context: object, run: () => void) => {
    const directory = folder();
    const before = process.cwd();
    writeFileSync(join(directory, "cdktf.json"), JSON.stringify(context));
    process.chdir(directory);
    try {
      run();
    } finally {
      process.chdir(before);
    }
  };

  test("is CLUSTER", () =>
    inside({ context: { cluster: "b.yaml" } }, () => expect(selectClusterFile({ CLUSTER: "a.yaml" })).toBe("a.yaml")));
  test("else what cdktf.json's context names", () =>
    inside({ context: { cluster: "b.yaml" } }, () => expect(selectClusterFile({})).toBe("b.yaml")));
  test("is not an empty CLUSTER", () =>
    inside({ context: { cluster: "b.yaml" } }, () => expect(selectClusterFile({ CLUSTER: "" })).toBe("b.yaml")));
  test.each([{}, { context: {} }, { context: { cluster: "" } }, { context: { cluster: 1 } }])(
    "has to be chosen: %j names none",
    (cdktf) =>
      inside(cdktf, () =>
        expect(() => selectClusterFile({})).toThrow(
          "choose one with --cluster FILE, or the variable CLUSTER, or in cdktf.json",
        ),
      ),
  );
  test("is named relative to the project in messages, so that they are the same in every checkout", () =>
    inside({}, () => {
      mkdirSync("clusters");
      writeFileSync("clusters/a.yaml", "name: c\n");
      expect(() => loadCluster(join(process.cwd(), "clusters/a.yaml"))).toThrow(/^clusters\/a\.yaml:1:1: /);
    }));
  test("is named as it was given, where it is elsewhere", () => {
    const file = clusterFile("name: c\n");
    expect(() => loadCluster(file)).toThrow(new RegExp(`^${file}:1:1: `));
  });
});
