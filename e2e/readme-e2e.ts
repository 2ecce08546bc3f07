import { rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { documented } from "./documented";
import { Project } from "./project";
import { typeAtTerminal } from "./terminal";
import { TestBed } from "./test-bed/test-bed";

/** The example's addresses, and those of the test bed for them. */
const ADDRESSES: Readonly<Record<string, string>> = {
  "10.0.0.11": "172.16.8.120",
  "10.0.0.12": "172.16.8.121",
  "10.0.0.13": "172.16.8.122",
  "10.0.0.21": "172.16.8.110",
};
const PAYMENTS = Object.entries(ADDRESSES).reduce(
  (yaml, [example, address]) => yaml.replace(example, address),
  documented("README.md", "yaml")[0] as string,
);

/** Its private folder. */
const PRIVATE = "../payments-private";

/** .ci/run runs the commands that install. */
const lines = documented("README.md", "sh")
  .flatMap((block) => block.trim().split("\n"))
  .filter((line) => !line.startsWith("npm ci"));
/** Each command as it is shown, with the variables that are exported before it. */
const commands = lines.flatMap((line, index): [shown: string, typed: string][] => {
  if (line.startsWith("export ")) return [];
  const exported = lines.slice(0, index).filter((before) => before.startsWith("export "));
  return [[line, [...exported, line].join("; ")]];
});

describe("every command of the README", () => {
  const testBed = TestBed.standing();
  const here = new Project(testBed.local, "");
  const lan = new Project(testBed.operator, "");
  /** Beside this test's project, and no other's. */
  const kept = `../${basename(lan.folder)}-private`;
  beforeAll(async () => {
    await Promise.all([testBed.reset(), testBed.localHost.reset()]);
    writeFileSync(join(lan.folder, "clusters/payments.yaml"), PAYMENTS.replace(PRIVATE, kept));
  });
  afterAll(async () => {
    await testBed.reset();
    rmSync(join(lan.folder, kept), { recursive: true, force: true });
    here.remove();
    lan.remove();
  });

  test("there are commands to run, for a secured cluster among them", () => {
    expect(commands.length).toBeGreaterThan(5);
    expect(commands.map(([, typed]) => typed)).toContain("export CLUSTER=clusters/payments.yaml; npm run deploy");
    expect(PAYMENTS).toContain(PRIVATE);
    expect(PAYMENTS).not.toMatch(/security|10\.0\.0\./);
  });

  test.each(commands)("%s", async (shown, typed) => {
    const project = shown.includes("local") ? here : lan;
    const { stdout } = await typeAtTerminal(project, typed);
    expect(stdout).toContain("cluster file: clusters/");
    expect(stdout).not.toMatch(/error/i);
  });
});
