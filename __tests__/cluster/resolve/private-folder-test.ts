import { join, posix } from "node:path";
import fc from "fast-check";
import { defineCluster } from "../../../cluster/define";
import { localFolder } from "../../../ops/backups/local";
import { clusterFile, FOUR_HOSTS, load, marked, saidOf } from "../../cluster-files";
import { synthesizeText } from "../../synthesized";

const SECURED = FOUR_HOSTS.replace("security: off\n", "");
const GROUPED = SECURED.replace("10.0.0.4", "{ address: 10.0.0.4, group: edge }");
const withFolder = (folder: string, text = SECURED) => `${text}private_folder: ${folder}\n`;

/** Every path that a stack's JSON has for Terraform, from the stack's folder. */
const pathsIn = (text: string): string[] =>
  [...text.matchAll(/(?:\.\.\/){3,}[\w.-]+(?:\/[\w.-]+)*/g)].map(([path]) => path);

test("secrets, Terraform states and backups are in the private folder, by the names that they have in a project", () => {
  const cluster = load(withFolder("../c-private/"));
  expect(cluster.security?.secrets).toBe("../c-private/secrets/c");
  expect(cluster.backend).toEqual({ local: { path: "../c-private/terraform.{stack}.tfstate" } });
  expect(localFolder(cluster)).toBe("../c-private/backups/c");
});

test("without the key they are in the project", () => {
  const cluster = load(SECURED);
  expect([cluster.security?.secrets, cluster.backend, localFolder(cluster)]).toEqual([
    "secrets/c",
    undefined,
    "backups/c",
  ]);
});

test.each([
  ["security: { secrets: secrets/c }", { security: { secrets: "secrets/c" } }],
  ["backend: { local: { path: states/c.tfstate } }", { backend: { local: { path: "states/c.tfstate" } } }],
  ["backend: { local: {} }", { backend: { local: { path: "../c-private/terraform.{stack}.tfstate" } } }],
  ["backend: { s3: { bucket: b } }", { backend: { s3: { bucket: "b" } } }],
])("what a file says itself takes precedence: %s", (line, expected) =>
  expect(load(withFolder("../c-private", `${SECURED}${line}\n`))).toMatchObject(expected),
);

test("each stack has a Terraform state there, and reads its secrets there", () => {
  const { stacks, texts } = synthesizeText(withFolder("../c-private", GROUPED));
  expect(stacks["c-edge"]?.terraform.backend).toEqual({
    local: { path: "../../../../c-private/terraform.c-edge.tfstate" },
  });
  const sources = Object.values(stacks).flatMap(({ resource }) =>
    Object.values(resource.docker_container).flatMap(({ upload }) =>
      (upload as readonly { source?: string }[]).map(({ source }) => source),
    ),
  );
  expect(sources).toContain("../../../../c-private/secrets/c/agents/s1/cert.pem");
  expect(
    Object.values(texts)
      .flatMap(pathsIn)
      .filter((path) => path.startsWith("../../../secrets")),
  ).toEqual([]);
});

test("the JSON is the same for every operator, wherever the checkout is and whatever its name is", () => {
  const text = withFolder("../c-private", GROUPED);
  const before = process.cwd();
  const [here, there] = [before, posix.dirname(clusterFile(text))].map((cwd) => {
    process.chdir(cwd);
    try {
      return synthesizeText(text).texts;
    } finally {
      process.chdir(before);
    }
  });
  expect(here).toEqual(there);
  expect(JSON.stringify(here)).not.toContain(before);
});

const HOME = "a private folder is relative to the project";
const INSIDE = "a private folder is beside the project's folder or further up";
test.each([
  ["/srv/c-private", HOME],
  ["~/c-private", HOME],
  ["c-private", INSIDE],
  ["./c-private", INSIDE],
  ["..", INSIDE],
  ["../..", INSIDE],
  ["../c-private/..", INSIDE],
  ["../c/../../x", INSIDE],
  ["../a b", INSIDE],
  ['"../a${b}"', INSIDE],
  ['""', INSIDE],
])("%s is refused where it is written, with the reason and the fix", (value, reason) => {
  const { text, places } = marked(`${SECURED}private_folder: ▶${value}\n`);
  expect(saidOf(clusterFile(text))).toEqual([
    {
      code: "invalid-value",
      severity: "error",
      place: places[0],
      message: expect.stringContaining("cannot be used as private_folder"),
      hint: expect.stringMatching(new RegExp(`^${reason}.*Write \\.\\./NAME-private$`)),
    },
  ]);
});

const word = fc.stringMatching(/^[\w.-]{1,12}$/).filter((text) => !/^\.{1,2}$/.test(text));

test("wherever the private folder is, everything in it is out of the project, and the same names below it", () => {
  const folders = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.array(word, { minLength: 1, maxLength: 3 }));
  fc.assert(
    fc.property(folders, fc.boolean(), ([up, words], slash) => {
      const folder = "../".repeat(up) + words.join("/");
      const file = { name: "c", daemon: "ssh://root@{address}", hosts: { s1: "10.0.0.1" }, servers: ["s1"] };
      const cluster = defineCluster({ ...file, private_folder: slash ? `${folder}/` : folder });
      const paths = [cluster.security?.secrets, cluster.backend?.local?.path, localFolder(cluster)].map(String);
      expect(paths).toEqual(["secrets/c", "terraform.{stack}.tfstate", "backups/c"].map((path) => `${folder}/${path}`));
      // The project is as deep as it likes: no path leads into it.
      for (const path of paths) expect(join("/1/2/3/4/5/project", path).startsWith("/1/2/3/4/5/project/")).toBe(false);
    }),
    { seed: 20190127, numRuns: 200 },
  );
});
