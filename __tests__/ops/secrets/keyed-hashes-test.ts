import { rmSync } from "node:fs";
import { join } from "node:path";
import { changedFiles, hashDelivered } from "../../../ops/secrets/keyed-hashes";
import { sha256 } from "../../../ops/sha256";
import { FOUR_HOSTS, load } from "../../cluster-files";
import { ClusterSecrets } from "./cluster-secrets";

const AGENTS = ["s1", "s2", "s3", "c1"];
let stored: ClusterSecrets;
const made = new ClusterSecrets();
beforeAll(() => made.init());
beforeEach(() => {
  stored = new ClusterSecrets().copy(made);
});

const hashed = (agents = AGENTS, salt = "salt") => {
  const hashes = hashDelivered(stored.cluster(), agents, salt);
  if (!hashes) throw new Error("no hashes");
  return hashes;
};

test("every file that a deploy delivers is hashed, and neither the sources nor the operator's files", () => {
  const files = Object.keys(hashed().files);
  expect(files).toEqual(expect.arrayContaining(["acl.json", "agents/s1/key.pem", "agents/c1/tokens.json"]));
  expect(files.filter((file) => !/^agents\/|^acl\.json$/.test(file))).toEqual([]);
});

test("only the secrets of the given agents are hashed", () =>
  expect(new Set(Object.keys(hashed(["c1"]).files).map((file) => file.split("/").slice(0, 2).join("/")))).toEqual(
    new Set(["agents/c1", "acl.json"]),
  ));

test("the same secrets have the same hashes with a salt, in any folder, and others without it", () => {
  const before = hashed();
  stored = new ClusterSecrets().copy(made);
  expect(hashed()).toEqual(before);
  expect(changedFiles(before, hashed(AGENTS, "another"))).toEqual(Object.keys(before.files).sort());
  expect(hashDelivered(stored.cluster(), AGENTS)?.salt).toMatch(/^[0-9a-f]{32}$/);
});

test("a changed secret and a missing one are found", () => {
  const before = hashed();
  stored.change("agents/s2/tokens.json", (text) => `${text} `);
  rmSync(join(stored.path, "agents/s3/health.token"));
  expect(changedFiles(before, hashed())).toEqual(["agents/s2/tokens.json", "agents/s3/health.token"]);
});

test("without the gossip key nobody can tell which value a hash is of", () => {
  const { files, salt } = hashed();
  const content = stored.read("agents/s1/health.token");
  const guesses = [content, `agents/s1/health.token\0${content}`, `${salt}${content}`].map((text) => sha256(text));
  expect(guesses).not.toContain(files["agents/s1/health.token"]);
  stored.change("gossip.key", () => `${Buffer.alloc(32, 1).toString("base64")}\n`);
  expect(changedFiles({ files, salt }, hashed())).toEqual(Object.keys(files).sort());
});

test("a cluster without security has none", () => expect(hashDelivered(load(FOUR_HOSTS), AGENTS)).toBeUndefined());
