import type { AgentDescription } from "../../../cluster/model";
import { hasKnownSecrets, secretFiles } from "../../../ops/adoption/known-secrets";
import { rotateCertificates } from "../../../ops/secrets/rotate";
import { sha256 } from "../../../ops/sha256";
import { FOUR_HOSTS, load } from "../../cluster-files";
import { ClusterSecrets } from "../secrets/cluster-secrets";

const made = new ClusterSecrets();
beforeAll(() => made.init());

const s1 = (folder: ClusterSecrets) => folder.cluster().agents.find(({ name }) => name === "s1") as AgentDescription;
/** The hashes of the files in s1's container, which got its secrets from a folder. */
const delivered = (from: ClusterSecrets) =>
  secretFiles(from.cluster(), s1(from)).map((file) => sha256(from.read(`agents/s1/${file.split("/").at(-1)}`)));
const knows = (folder: ClusterSecrets, hashes: readonly string[]) =>
  hasKnownSecrets(folder.cluster(), s1(folder), hashes);

test("a folder knows what it has, and what it had; an older copy does not know what came later", async () => {
  const newer = new ClusterSecrets().copy(made);
  await rotateCertificates(newer.cluster(), newer.secrets, ["s1"], {});
  expect(knows(made, delivered(made))).toBe(true);
  expect(knows(newer, delivered(made))).toBe(true);
  expect(knows(made, delivered(newer))).toBe(false);
});

test("an agent without secrets, or with a part of them, is not known", () => {
  expect(knows(made, [])).toBe(false);
  expect(knows(made, delivered(made).slice(1))).toBe(false);
});

test("without security there is nothing to compare", () => {
  const cluster = load(FOUR_HOSTS);
  const agent = cluster.agents[0] as AgentDescription;
  expect(secretFiles(cluster, agent)).toEqual([]);
  expect(hasKnownSecrets(cluster, agent, [])).toBe(true);
});
