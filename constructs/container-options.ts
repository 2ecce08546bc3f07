import type { ContainerConfig } from "@cdktf/provider-docker/lib/container";
import type { Settings } from "../cluster/file/schema";

const DEFAULT_LOG = { driver: "json-file", options: { "max-size": "10m", "max-file": "3" } };

/** A container's log, of bounded size unless told otherwise. Both are said, or the provider would see a difference in every plan. */
export function logging({
  driver,
  options,
}: NonNullable<Settings["log"]> = DEFAULT_LOG): Pick<ContainerConfig, "logDriver" | "logOpts"> {
  return { logDriver: driver, logOpts: options };
}
