import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import type { Stack } from "../terraform/synth";
import { type HealthProblem, healthProblem } from "./health-problem";

/** Where Terraform writes a state that its backend did not accept, in the stack's folder. */
export const unsavedFile = ({ folder }: Pick<Stack, "folder">): string => join(folder, "errored.tfstate");

/**
 * Stacks whose last deploy could not store its Terraform state. A further deploy would begin with the former state, and
 * create again what exists.
 */
export const unsavedStates = (stacks: readonly Stack[]): HealthProblem[] =>
  stacks
    .filter((stack) => existsSync(unsavedFile(stack)))
    .map((stack) =>
      healthProblem({
        code: "terraform-state-unsaved",
        message: `the last deploy of the stack ${stack.name} could not store its Terraform state, which is in ${relative(".", unsavedFile(stack))}`,
        hint: `npm run state -- recover ${stack.name}`,
      }),
    );
