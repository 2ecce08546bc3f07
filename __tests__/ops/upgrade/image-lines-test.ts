import { parse } from "yaml";
import { DEFAULTS } from "../../../cluster/resolve/defaults";
import { withVersion } from "../../../ops/upgrade/image-lines";

const DIGEST = `sha256:${"a".repeat(64)}`;
const OTHER = `sha256:${"b".repeat(64)}`;
const to = (text: string, version = "1.30.1", digest?: string) => withVersion(text, { version, digest });

test("the cluster's, an agent's and the backups' images get the version, and nothing else of the file changes", () => {
  const text = `# Ours
name:   shop
image: "hashicorp/consul:1.22.2"   # pinned, ask ops before you change 1.22.2
hosts: { s1: 10.0.0.1, c1: 10.0.0.2 }
servers: [s1]
clients:
  - { name: c1, image: registry.example:5000/consul:v1.22.2-ent }
backups: { every: 1h, keep: 3, image: 'hashicorp/consul:1.22.2' }
`;
  const { text: after, lines, unclear } = to(text);
  expect(after).toBe(`# Ours
name:   shop
image: "hashicorp/consul:1.30.1"   # pinned, ask ops before you change 1.22.2
hosts: { s1: 10.0.0.1, c1: 10.0.0.2 }
servers: [s1]
clients:
  - { name: c1, image: registry.example:5000/consul:v1.30.1-ent }
backups: { every: 1h, keep: 3, image: 'hashicorp/consul:1.30.1' }
`);
  expect([lines.map(({ line }) => line), unclear]).toEqual([[3, 7, 8], []]);
});

test("a file that names the version already stays as it is", () => {
  const text = "name: shop\nimage: hashicorp/consul:1.30.1\n";
  expect(to(text)).toEqual({ text, lines: [], unclear: [] });
});

test("an anchor is changed once, where it stands", () => {
  const text = "name: shop\nimage: &consul hashicorp/consul:1.22.2\nservers: [{ name: s1, image: *consul }]\n";
  expect(to(text).text).toBe(text.replace("1.22.2", "1.30.1"));
});

describe("a file without an image gets a line", () => {
  const added = [{ line: 2, from: undefined, to: "hashicorp/consul:1.30.1" }];

  test.each([
    ["name: shop # ours\nhosts: {}\n", "name: shop # ours\nimage: hashicorp/consul:1.30.1\nhosts: {}\n"],
    ["name: shop", "name: shop\nimage: hashicorp/consul:1.30.1"],
    ["  name: shop\n  hosts: {}\n", "  name: shop\n  image: hashicorp/consul:1.30.1\n  hosts: {}\n"],
  ])("below its name: %j", (text, after) => {
    expect(to(text)).toMatchObject({ text: after, lines: added });
  });

  test("in JSON too", () => {
    const { text } = to('{\n  "name": "shop",\n  "hosts": {}\n}');
    expect(parse(text)).toEqual({ name: "shop", image: "hashicorp/consul:1.30.1", hosts: {} });
  });

  test("unless the version is that of the default image", () => {
    const [, version = ""] = DEFAULTS.image.split(":");
    expect(to("name: shop\n", version)).toMatchObject({ text: "name: shop\n", lines: [] });
  });
});

describe("an image with a digest", () => {
  const pinned = `name: shop\nimage: hashicorp/consul:1.22.2@${DIGEST}\n`;

  test("is not changed without the digest of the next one", () => {
    expect(to(pinned)).toMatchObject({ text: pinned, unclear: [{ line: 2, reason: "it is pinned by its digest" }] });
  });
  test("gets version and digest", () => {
    expect(to(pinned, "1.30.1", OTHER).text).toBe(`name: shop\nimage: hashicorp/consul:1.30.1@${OTHER}\n`);
  });
  test("of the wanted version is not changed, but for another digest", () => {
    expect(to(pinned, "1.22.2").lines).toEqual([]);
    expect(to(pinned, "1.22.2", DIGEST).lines).toEqual([]);
    expect(to(pinned, "1.22.2", OTHER).lines).toHaveLength(1);
  });
  test("is what a plain one becomes if the digest is given", () => {
    const text = "name: shop\nimage: hashicorp/consul:1.22.2\n";
    expect(to(text, "1.30.1", OTHER).lines).toMatchObject([{ to: `hashicorp/consul:1.30.1@${OTHER}` }]);
  });
});

test.each([
  ["hashicorp/consul:latest", "its tag has no version"],
  ["hashicorp/consul:1.22", "its tag has no version"],
  [`hashicorp/consul@${DIGEST}`, "its tag has no version"],
  ['"hashicorp\\/consul:1.22.2"', "it is written with escapes"],
])("what no program can change is left to a person: %s", (image, reason) => {
  const text = `name: shop\nimage: ${image}\n`;
  expect(to(text)).toMatchObject({ text, lines: [], unclear: [{ line: 2, reason }] });
});
