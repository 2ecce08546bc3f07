import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { documented } from "./documented";
import { Project } from "./project";
import { Rig } from "./rig/rig";
import { typeAtTerminal } from "./terminal";

/** The first block is .ci/run's own: it installs. */
const [, ...shellBlocks] = documented("README.md", "sh");

describe("every command of the README, as it stands there", () => {
  const rig = Rig.standing();
  beforeAll(() => Promise.all([rig.reset(), rig.localHost.reset()]));

  const commands = shellBlocks.flatMap((block) => block.trim().split("\n"));
  const here = new Project(rig.local, "");
  const lan = new Project(rig.operator, "");
  afterAll(() => {
    here.remove();
    lan.remove();
  });

  test("there are commands to run", () => expect(commands.length).toBeGreaterThan(5));

  test.each(commands)("%s", async (command) => {
    const project = command.includes("local") ? here : lan;
    const yaml = documented("README.md", "yaml")[0] as string;
    writeFileSync(join(project.folder, "clusters/payments.yaml"), yaml);
    const { stdout } = await typeAtTerminal(project, command);
    expect(stdout).toContain("cluster file: clusters/");
    expect(stdout).not.toMatch(/error/i);
  });
});
