import { TERRAFORM_VARIABLES } from "../cluster/terraform-variables";
import { cellText, table } from "./markdown";

/** The variables that Terraform reads, and what the commands do about them. */
export const variableReference = (): string =>
  [
    "# Terraform's environment variables",
    "",
    "`npm run generate` writes this page from cluster/terraform-variables.ts. All commands treat a variable the same. One",
    "that is refused ends the command before Terraform starts, with the reason and a hint. Those that lead to another",
    "[Terraform state](state.md) also end a synth, and with it `cdktf deploy`.",
    "",
    ...table(
      ["variable", "what the commands do"],
      TERRAFORM_VARIABLES.map(({ name, about }) => [`\`${name}\``, cellText(about)]),
    ),
    "",
    "A stack's folder in which another workspace was selected (`terraform workspace select`) is refused like",
    "`TF_WORKSPACE`.",
    "",
  ].join("\n");
