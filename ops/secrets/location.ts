import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import type { Cluster } from "../../cluster/model";
import { securityOf } from "../../cluster/resolve/security";
import { SecretsFolder } from "./folder";

/** Whose secrets, and where. */
export interface SecretsLocation {
  readonly cluster: Pick<Cluster, "name">;
  readonly folder: SecretsFolder;
}

/**
 * What a cluster file says of it, whatever else is wrong there: what an import has made has to go all the same.
 * @returns undefined when it does not say, or not on the lines where it should
 */
export function locationIn(file: string): SecretsLocation | undefined {
  const document = parseDocument(textOf(file));
  const [name, entry, secrets] = [
    document.get("name"),
    document.get("security"),
    document.getIn(["security", "secrets"]),
  ];
  if (typeof name !== "string" || entry === "off") return undefined;
  const security = securityOf({
    name,
    security: typeof secrets === "string" ? { secrets } : "on",
    hosts: {},
    registrator: "off",
  });
  return security && { cluster: { name }, folder: new SecretsFolder(security.secrets) };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
