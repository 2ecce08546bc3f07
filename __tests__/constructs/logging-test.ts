import { logging } from "../../constructs/logging";

const ignored = (driver: string, options?: Record<string, string>) => {
  const { ignoreChanges = [] } = logging({ driver, options }).lifecycle ?? {};
  return (ignoreChanges as string[]).map((path) => path.replace(/^log_opts\["(.*)"\]$/, "$1"));
};
const CACHE = ["cache-disabled", "cache-max-size", "cache-max-file", "cache-compress"];

describe("options that a daemon may add are ignored in plans", () => {
  test("of files, without those that are set", () =>
    expect(ignored("json-file", { "max-size": "10m", compress: "false" })).toEqual([
      ...["max-file", "labels", "labels-regex", "env", "env-regex", "tag", "mode", "max-buffer-size"],
      ...CACHE,
    ]));
  test.each([
    ["local", ["max-size", "compress"]],
    ["journald", ["labels", "tag"]],
    ["syslog", ["syslog-address", "syslog-tls-skip-verify"]],
    ["gelf", ["gelf-address", "gelf-tcp-reconnect-delay"]],
    ["fluentd", ["fluentd-address", "fluentd-async-connect", "fluentd-write-timeout"]],
    ["splunk", ["splunk-url", "splunk-index-acknowledgment"]],
    ["gcplogs", ["gcp-project", "gcp-meta-id"]],
    ["awslogs", ["awslogs-group", "awslogs-max-buffered-events", "tag"]],
    ["a-plugin", []],
  ])("of %s", (driver, some) =>
    expect(ignored(driver, { "max-file": "3" })).toEqual(
      expect.arrayContaining([...some, "mode", "max-buffer-size", ...CACHE]),
    ),
  );
});

test("without options nothing is ignored, because the provider then reads none back", () => {
  expect(logging({ driver: "local" }).lifecycle).toBeUndefined();
  expect(logging({ driver: "none", options: {} }).lifecycle).toBeUndefined();
});

test("what else a container's lifecycle has stays", () => {
  const precondition = [{ condition: "${true}", errorMessage: "never" }];
  expect(logging({ driver: "local" }, { precondition }).lifecycle).toEqual({ precondition });
  expect(logging({ driver: "local", options: { compress: "true" } }, { precondition }).lifecycle).toMatchObject({
    precondition,
    ignoreChanges: expect.arrayContaining(['log_opts["max-size"]']),
  });
});
