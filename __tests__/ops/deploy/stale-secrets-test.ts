import { secretsId } from "../../../consul/contract";
import { staleSecrets } from "../../../ops/deploy/stale-secrets";
import { rotateCertificates, rotateTokens } from "../../../ops/secrets/rotate";
import { versionOf, withHistory } from "../../../ops/secrets/versions";
import type { StackState, StateResource } from "../../../ops/terraform/state";
import { FOUR_HOSTS, load } from "../../cluster-files";
import { ClusterSecrets } from "../secrets/cluster-secrets";

const made = new ClusterSecrets();
beforeAll(() => made.init());
let stored: ClusterSecrets;
beforeEach(() => {
  stored = new ClusterSecrets().copy(made);
});

/** The Terraform state after a deploy with this folder. */
const deployed = ({ secrets }: ClusterSecrets): Map<string, StackState> => {
  const resources = stored.cluster().agents.map(
    (agent): StateResource => ({
      address: `terraform_data.${secretsId(agent.name)}`,
      mode: "managed",
      type: "terraform_data",
      name: secretsId(agent.name),
      provider: undefined,
      tainted: false,
      deposed: false,
      attributes: { triggers_replace: { type: "tuple", value: ["a container's id", versionOf(secrets, agent)] } },
    }),
  );
  return new Map([["c", { outputs: {}, resources }]]);
};
const found = (states: ReturnType<typeof deployed>, of = stored) => staleSecrets(of.cluster(), states);

test("a folder as it was deployed, and one that nothing was deployed from, are not stale", () => {
  expect(found(deployed(stored))).toEqual([]);
  expect(found(new Map([["c", { outputs: {}, resources: [] }]]))).toEqual([]);
});

test("a folder that has gone on is not stale, and the copy from before is, as soon as one agent got something new", async () => {
  const before = deployed(stored);
  await rotateCertificates(stored.cluster(), stored.secrets, ["s1"], {});
  expect(found(before)).toEqual([]);
  const [problem, ...others] = found(deployed(stored), made);
  expect(others).toEqual([]);
  expect(problem).toMatchObject({ code: "secrets-stale", location: { file: made.path } });
  expect(problem?.message).toMatch(/^"s1" got secrets/);
});

test("of several agents, the first is named", async () => {
  await rotateTokens(stored.cluster(), stored.secrets, []);
  expect(found(deployed(stored), made)[0]?.message).toMatch(/^"\w+", and 3 more agents, got secrets/);
});

test("three steps may follow a deploy, and not more, because the history is short", async () => {
  const before = deployed(stored);
  for (const _ of [1, 2, 3]) await rotateCertificates(stored.cluster(), stored.secrets, ["s1"], {});
  expect(found(before)).toEqual([]);
  await rotateCertificates(stored.cluster(), stored.secrets, ["s1"], {});
  expect(found(before)).toHaveLength(1);
});

test("a folder whose run was killed in the middle is not stale", async () => {
  const before = deployed(stored);
  const killed = await withHistory(stored.cluster(), stored.secrets, async () => {
    stored.secrets.write("agents/s1/cert.pem", "another certificate");
    return new ClusterSecrets().copy(stored);
  });
  expect(found(before, killed)).toEqual([]);
});

test("a run that changes nothing leaves no history", async () => {
  await withHistory(stored.cluster(), stored.secrets, async () => {});
  expect(stored.secrets.read("history.txt")).toBeUndefined();
});

test("other secrets of the same cluster are stale", async () => {
  const others = new ClusterSecrets();
  await others.init();
  expect(found(deployed(stored), others)[0]?.message).toContain("and 3 more agents, got secrets");
});

test("a damaged history knows nothing, and the next change writes it again", async () => {
  const before = deployed(stored);
  await rotateTokens(stored.cluster(), stored.secrets, []);
  stored.secrets.write("history.txt", "something else");
  expect(found(before)).toHaveLength(1);
  const between = deployed(stored);
  await rotateTokens(stored.cluster(), stored.secrets, []);
  expect(found(between)).toEqual([]);
});

test("a cluster without security has no secrets that could be stale", () =>
  expect(staleSecrets(load(FOUR_HOSTS), deployed(stored))).toEqual([]));
