import type { Container } from "@cdktf/provider-docker/lib/container";
import { Aspects } from "cdktf";
import type { Log } from "../cluster/model";

const OF_FILES = ["max-size", "max-file", "compress"];
const OF_MESSAGES = ["labels", "labels-regex", "env", "env-regex", "tag"];
const prefixed = (prefix: string, names: string): string[] => names.split(" ").map((name) => `${prefix}-${name}`);

/** Options that the daemon adds for every driver (daemon/logger/factory.go and loggerutils/cache of Docker 28.5). */
const OF_EVERY_DRIVER = [
  "mode",
  "max-buffer-size",
  "cache-disabled",
  ...prefixed("cache", "max-size max-file compress"),
];

/** The other options of Docker's own drivers (ValidateLogOpt in daemon/logger of Docker 28.5). */
const OF_DRIVER: Readonly<Record<string, readonly string[]>> = {
  "json-file": [...OF_FILES, ...OF_MESSAGES],
  local: OF_FILES,
  journald: OF_MESSAGES,
  syslog: [
    ...OF_MESSAGES,
    ...prefixed("syslog", "address facility format tls-ca-cert tls-cert tls-key tls-skip-verify"),
  ],
  gelf: [
    ...OF_MESSAGES,
    ...prefixed("gelf", "address compression-type compression-level tcp-max-reconnect tcp-reconnect-delay"),
  ],
  fluentd: [
    ...OF_MESSAGES,
    ...prefixed("fluentd", "address async async-connect async-reconnect-interval buffer-limit max-retries"),
    ...prefixed("fluentd", "request-ack retry-wait sub-second-precision write-timeout"),
  ],
  splunk: [
    ...OF_MESSAGES,
    ...prefixed("splunk", "url token source sourcetype index capath caname insecureskipverify format"),
    ...prefixed("splunk", "verify-connection gzip gzip-level index-acknowledgment"),
  ],
  gcplogs: [...OF_MESSAGES, ...prefixed("gcp", "project log-cmd meta-zone meta-name meta-id")],
  awslogs: [
    "tag",
    ...prefixed("awslogs", "region endpoint group stream create-group create-stream datetime-format format"),
    ...prefixed("awslogs", "multiline-pattern credentials-endpoint force-flush-interval-seconds max-buffered-events"),
  ],
};

/** Options of a container's log that its file does not set, and that the daemon may therefore add. */
function unsetOptions({ driver, options = {} }: Log): string[] {
  // The provider reads no options back where the configuration has none.
  if (Object.keys(options).length === 0) return [];
  return [...(OF_DRIVER[driver] ?? []), ...OF_EVERY_DRIVER].filter((option) => !Object.hasOwn(options, option));
}

/**
 * Sets a container's log, both its driver and its options: without both, the provider would find a difference in every
 * plan. Terraform ignores the options that are not set here, beside what else the container's `lifecycle` ignores.
 *
 * The daemon adds the options of its daemon.json for the same driver, and the provider reads them back: `compress` there
 * would replace every container with each deploy (measured). A changed option that is set replaces the container, which
 * then gets all options as they are set here.
 */
export function setLog(container: Container, log: Log): void {
  container.logDriver = log.driver;
  if (log.options) container.logOpts = log.options;
  const unset = unsetOptions(log).map((option) => `log_opts["${option}"]`);
  if (unset.length === 0) return;
  // When the stack is synthesized, since a program may set a lifecycle of its own after this.
  const visit = () => {
    const { ignoreChanges = [] } = container.lifecycle ?? {};
    if (ignoreChanges === "all") return;
    container.lifecycle = { ...container.lifecycle, ignoreChanges: [...new Set([...unset, ...ignoreChanges])] };
  };
  Aspects.of(container).add({ visit });
}
