import { Container } from "@cdktf/provider-docker/lib/container";
import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import { App, type TerraformResourceLifecycle, TerraformStack, Testing } from "cdktf";
import { setLog } from "../../constructs/logging";

/** The lifecycle of a container in the synthesized JSON, where a program sets one of its own at last. */
function lifecycle(
  driver: string,
  options?: Record<string, string>,
  own?: TerraformResourceLifecycle,
): { ignore_changes?: string[] } | undefined {
  const stack = new TerraformStack(new App(), "s");
  new DockerProvider(stack, "docker");
  const log = { driver, options };
  const container = new Container(stack, "c", { name: "c", image: "i" });
  setLog(container, log);
  if (own) container.lifecycle = own;
  return JSON.parse(Testing.synth(stack)).resource.docker_container.c.lifecycle;
}

const ignored = (driver: string, options?: Record<string, string>) =>
  (lifecycle(driver, options)?.ignore_changes ?? []).map((path) => path.replace(/^log_opts\["(.*)"\]$/, "$1"));
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
  expect(lifecycle("local")).toBeUndefined();
  expect(lifecycle("none", {})).toBeUndefined();
});

describe("what a program sets as the container's lifecycle", () => {
  const options = { compress: "true" };

  test("stays", () => {
    const own = { preventDestroy: true };
    expect(lifecycle("local", undefined, own)).toEqual({ prevent_destroy: true });
    expect(lifecycle("local", options, own)).toEqual({
      prevent_destroy: true,
      ignore_changes: expect.arrayContaining(['log_opts["max-size"]']),
    });
  });
  test("is ignored beside the log's options", () =>
    expect(lifecycle("local", options, { ignoreChanges: ["memory_swap"] })?.ignore_changes).toEqual(
      expect.arrayContaining(["memory_swap", 'log_opts["max-size"]']),
    ));
  test("is everything, if it says so", () =>
    expect(lifecycle("local", options, { ignoreChanges: "all" })).toEqual({ ignore_changes: "all" }));
});
