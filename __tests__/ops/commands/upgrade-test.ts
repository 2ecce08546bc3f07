import { readFileSync } from "node:fs";
import type { Cluster } from "../../../cluster/model";
import { deploy } from "../../../ops/commands/deploy";
import { clusterFile, folder, HEAD } from "../../cluster-files";
import { run } from "../../command-line";
import { kvEntry } from "../../rollout/answers";
import { type MadeSurvey, surveyOf } from "../status/surveys";

/** What was done, in order; and how the cluster is inspected, one time after the other, the last one repeated. */
const done: string[] = [];
let surveys: MadeSurvey[] = [];
let file = "";

jest.mock("../../../ops/status/status-inspector", () => ({
  StatusInspector: class {
    constructor(private readonly cluster: Cluster) {}
    inspect = async () => surveyOf(this.cluster, surveys.length > 1 ? surveys.shift() : surveys[0]);
  },
}));
jest.mock("../../../ops/backups/servers", () => ({
  probeServers: async () => ({ servers: [], unreachable: [] }),
  bestServer: () => ({ agent: { name: "s1" }, leads: true }),
}));
jest.mock("../../../ops/backups/save", () => ({ save: async () => void done.push("snapshot") }));
jest.mock("../../../ops/commands/deploy", () => ({ deploy: jest.fn() }));
const deploys = deploy as jest.MockedFunction<typeof deploy>;

const FILE = `${HEAD}image: hashicorp/consul:1.22.2 # ours
hosts: { s1: 10.0.0.1, c2: { address: 10.0.0.3, group: edge }, c3: { address: 10.0.0.4, group: edge } }
servers: [s1]
clients: [c2, c3]
`;
const AGENTS = ["s1", "c2", "c3"];
const running = (version: string, agents: readonly string[] = AGENTS): MadeSurvey => ({
  agents: Object.fromEntries(agents.map((name) => [name, { says: { version } }])),
});

beforeEach(() => {
  done.length = 0;
  file = clusterFile(FILE);
  deploys.mockReset();
  deploys.mockImplementation(async ({ stacks, without }) => {
    done.push(
      `deploy ${stacks.join()} without ${without.join()}, of ${/consul:(\S+)/.exec(readFileSync(file, "utf8"))?.[1]}`,
    );
    return 0;
  });
});

const upgrade = (...words: string[]) => run(["upgrade", ...words], { env: { CLUSTER: file }, cwd: folder() });

test("a snapshot, the file, the client agent that is alone on its host, the rest", async () => {
  surveys = [running("1.22.2"), running("1.22.2"), running("1.22.7")];
  const { status, stdout } = await upgrade("1.22.7", "--auto-approve");
  expect([status, done]).toEqual([
    0,
    ["snapshot", "deploy c-edge without c3, of 1.22.7", "deploy  without , of 1.22.7"],
  ]);
  expect(stdout).toContain("from Consul 1.22.2 to 1.22.7\n  1. save a snapshot to backups/c/");
  expect(stdout).toContain(
    `  2. ${file}:4: image: hashicorp/consul:1.22.2 -> hashicorp/consul:1.22.7\n  3. deploy c2 alone`,
  );
  expect(stdout).toContain("all agents run Consul 1.22.7\n");
  expect(readFileSync(file, "utf8")).toBe(FILE.replace("1.22.2", "1.22.7"));
});

test("--dry-run changes nothing", async () => {
  surveys = [running("1.22.2")];
  const { status, stdout } = await upgrade("1.22.7", "--dry-run", "--json");
  expect([status, done, readFileSync(file, "utf8")]).toEqual([0, [], FILE]);
  expect(JSON.parse(stdout)).toMatchObject({ from: ["1.22.2"], to: "1.22.7", first: "c2", upgraded: false });
});

test("it ends with the first deploy that fails, and goes on with what is left when it is run again", async () => {
  surveys = [running("1.22.2")];
  deploys.mockResolvedValueOnce(1);
  const failed = await upgrade("1.22.7", "--auto-approve");
  expect([failed.status, deploys.mock.calls.length]).toEqual([1, 1]);
  expect(failed.stderr).toContain("the upgrade is not complete: run it again");
  done.length = 0;
  surveys = [{ agents: { ...running("1.22.7", ["s1", "c2"]).agents } }, running("1.22.7")];
  expect((await upgrade("1.22.7", "--auto-approve")).status).toBe(0);
  expect(done).toEqual(["deploy  without , of 1.22.7"]);
});

test("if all agents run the version and the file names it, nothing is done", async () => {
  file = clusterFile(FILE.replace("1.22.2", "1.22.7"));
  surveys = [running("1.22.7")];
  const { status, stdout } = await upgrade("1.22.7", "--auto-approve");
  expect([status, done]).toEqual([0, []]);
  expect(stdout).toContain("all agents run Consul 1.22.7, and the file names it");
});

test.each<[string, string, MadeSurvey, string]>([
  ["to an older version", "1.21.5", running("1.22.2"), "1.21.5 is older than 1.22.2, which has written its data"],
  ["over too many versions", "1.22.7", running("1.18.2"), "and Consul supports 2 at a time"],
  ["of an unhealthy cluster", "1.22.7", { silent: { c3: "no route" } }, "the cluster has to be healthy first"],
  [
    "beside a maintenance",
    "1.22.7",
    { agents: { s1: { says: { locks: [kvEntry("consul-cdktf/replacing", "s1", 7, 1795953600)] } } } },
    "s1: in maintenance",
  ],
])("it is rejected %s", async (_, version, survey, reason) => {
  surveys = [survey];
  const { status, stderr } = await upgrade(version, "--auto-approve");
  expect([status, done, readFileSync(file, "utf8")]).toEqual([1, [], FILE]);
  expect(stderr).toContain("rejected; nothing was changed");
  expect(stderr).toContain(reason);
});

test("an image that no program can change is named with its line", async () => {
  file = clusterFile(FILE.replace("consul:1.22.2", "consul:latest"));
  surveys = [running("1.22.2")];
  const { status, stderr } = await upgrade("1.22.7", "--auto-approve");
  expect([status, done]).toEqual([1, []]);
  expect(stderr).toContain(`${file}:4: the image hashicorp/consul:latest is not changed: its tag has no version`);
});
