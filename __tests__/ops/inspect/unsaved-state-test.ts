import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { unsavedStates } from "../../../ops/inspect/unsaved-state";
import { folder } from "../../cluster-files";

const stack = (name: string) => ({ name, folder: folder(), dependencies: [], json: {} });

test("a state that a backend did not take is named with its file, and with the command that stores it", () => {
  const [stored, unsaved] = [stack("c"), stack("c-edge")];
  writeFileSync(join(unsaved.folder, "errored.tfstate"), "{}");
  const [problem, ...others] = unsavedStates([stored, unsaved]);
  expect(problem).toMatchObject({
    code: "terraform-state-unsaved",
    severity: "error",
    message: expect.stringMatching(/stack c-edge .*errored\.tfstate$/),
    hint: "npm run state -- recover c-edge",
  });
  expect(others).toEqual([]);
});
