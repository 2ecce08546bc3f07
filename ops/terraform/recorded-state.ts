import type { Values } from "./plan";

/** A resource that exists, for a Terraform state that does not have it. */
export interface StateEntry {
  readonly type: string;
  readonly name: string;
  /** `provider["registry.terraform.io/kreuzwerker/docker"].consul-server1_host` */
  readonly provider: string;
  readonly schemaVersion: number;
  readonly attributes: Values;
}

interface RawState {
  readonly serial: number;
  readonly resources: readonly RawResource[];
}

interface RawResource {
  readonly module?: string;
  readonly mode: string;
  readonly type: string;
  readonly name: string;
  readonly instances: readonly { readonly deposed?: string }[];
}

/**
 * The text of a Terraform state, in which entries replace those of the same addresses. Everything else stays as it is.
 * @param text of a state that exists
 */
export function withEntries(text: string, entries: readonly StateEntry[]): string {
  const { serial, resources, ...rest } = JSON.parse(text) as RawState;
  const isAt =
    ({ type, name }: StateEntry) =>
    (resource: RawResource) =>
      resource.module === undefined && resource.mode === "managed" && resource.type === type && resource.name === name;
  const kept = resources.filter((resource) => !entries.some((entry) => isAt(entry)(resource)));
  const added = entries.map((entry) => {
    const former = resources.find(isAt(entry))?.instances ?? [];
    const { type, name, provider, schemaVersion, attributes } = entry;
    const instance = { schema_version: schemaVersion, attributes, sensitive_attributes: [] };
    // What Terraform has replaced and could not destroy is still to be destroyed.
    const deposed = former.filter((each) => each.deposed !== undefined);
    return { mode: "managed", type, name, provider, instances: [instance, ...deposed] };
  });
  return JSON.stringify({ ...rest, serial: serial + 1, resources: [...kept, ...added] }, undefined, 2);
}
