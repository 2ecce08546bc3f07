import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./consul";
import { expectPrinted, Page } from "./page";
import { Project } from "./project";
import { TestBed } from "./test-bed/test-bed";

/** Which server leads, differs. */
const LEADER = /consul-server\d \(172\.16\.8\.\d+:8300\)/g;

describe("docs/tutorial.md: four machines get a secured cluster", () => {
  const testBed = TestBed.standing();
  const project = new Project(testBed.operator, "clusters/consul.yaml");
  const page = Page.open("docs/tutorial.md", project);
  const path = join(project.folder, project.clusterFile);
  const containers = async () => {
    const found = testBed.hosts.map(async (host) => (await host.docker("ps", "-q", "--no-trunc")).stdout.trim());
    return Promise.all(found);
  };
  const withoutLeader = {
    compare: (shown: string, printed: string) => expectPrinted(shown.replace(LEADER, "..."), printed),
  };
  let file = "";

  beforeAll(() => testBed.reset());
  afterAll(async () => {
    await testBed.reset();
    project.remove();
  });

  test("steps 1 and 2: it is described, and has its secrets", async () => {
    await page.follow("### 1. ", {
      edit: (text) => {
        file = text;
        writeFileSync(path, file);
      },
    });
    await page.follow("### 2. ");
  });

  test("steps 3 to 5: it is deployed, and healthy", async () => {
    await page.follow("### 3. ");
    await page.follow("### 4. ");
    await page.follow("### 5. ", withoutLeader);
  });

  test("step 6: a change replaces all agents", async () => {
    const [change = ""] = page.files("### 6. ");
    file += change;
    writeFileSync(path, file);
    const [diff = "", deploy = ""] = page.commands("### 6. ");
    const [shown = "", lines = ""] = page.outputs("### 6. ");
    expectPrinted(shown, await page.type(diff));
    const before = await containers();
    // As in a pipeline, where lines are printed.
    const { stdout } = await project.run("sh", ["-c", `${deploy.trim()} -- --auto-approve`]);
    for (const line of lines
      .trim()
      .split("\n")
      .filter((each) => !each.includes(": waiting: ")))
      expectPrinted(line.replace(/\bconsul-server\d\b(?=:)/, "...").replace(/leader \S+/, "leader ..."), stdout);
    const after = await containers();
    for (const [host, id] of before.entries()) expect(after[host]).not.toBe(id);
    await eventually(async () => expect(await page.type("npm run status")).toMatch(/^healthy$/m));
  });

  test("step 7: a stopped container is found, and repaired", async () => {
    const [stop = "", repair = ""] = page.commands("### 7. ");
    const [shown = ""] = page.outputs("### 7. ");
    expectPrinted(shown, await page.type(stop, { check: false }));
    expect(await page.type(repair)).toContain("nothing is wrong any more");
  });

  test("step 8: it is removed, and its data stays on the volumes", async () => {
    const printed = await page.follow("### 8. ");
    expect(printed).toContain("the data stays on its volumes");
    for (const host of testBed.hosts) {
      expect((await host.docker("ps", "-aq")).stdout).toBe("");
      expect((await host.docker("volume", "ls", "-q")).stdout).toContain(`${host.name}-data`);
    }
  });

  test("no command of these steps was left out", () => {
    // These have tests of their own: local-e2e.ts, and adopt-full-e2e.ts.
    for (const heading of ["# ", "## This machine", "## From the article's"]) page.leaveOut(heading);
    expect(page.untyped).toEqual([]);
  });
});
