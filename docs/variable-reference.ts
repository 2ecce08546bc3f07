import { TERRAFORM_VARIABLES } from "../cluster/terraform-variables";
import { escaped, table } from "./markdown";
import { pageWithParts } from "./page-part";

/** docs/environment.md, with the variables that Terraform reads, and what the commands do about them. */
export const variableReference = (): string =>
  pageWithParts("environment.md", {
    "Terraform's variables": table(
      ["variable", "what the commands do"],
      TERRAFORM_VARIABLES.map(({ name, about }) => [`\`${name}\``, escaped(about)]),
    ),
  });
