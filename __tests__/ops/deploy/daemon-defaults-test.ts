import { describeProblem } from "../../../cluster/problem";
import { contradictedSettings, keptLogOptions } from "../../../ops/deploy/daemon-defaults";
import type { DaemonInfo } from "../../../ops/docker/container";
import type { StateResource } from "../../../ops/terraform/state";
import { BRIDGE, FOUR_HOSTS, load } from "../../cluster-files";

describe("settings that a daemon contradicts", () => {
  const DNS = FOUR_HOSTS.replace("[c1]", "[{ name: c1, ports: { dns: 53 } }]");
  const ABLE = {
    ServerVersion: "28.5.2",
    SecurityOptions: null,
    MemoryLimit: true,
    SwapLimit: true,
    CpuCfsQuota: true,
    CPUSet: true,
  };
  const told = (file: string, host: string, info: Partial<DaemonInfo>) =>
    contradictedSettings(load(file), new Map([[host, { ...ABLE, ...info }]])).map(describeProblem);
  const said = (file: string, host: string, ...SecurityOptions: string[]) => told(file, host, { SecurityOptions });
  test.each<[string, string, string, string[]]>([
    ["Docker's own defaults", DNS, "c1", ["name=seccomp,profile=builtin", "name=cgroupns"]],
    ["remapped users in a bridge network", `${BRIDGE}servers: [{ name: s1, host: local }]\n`, "local", ["name=userns"]],
    ["no new privileges, which no port needs", DNS, "s1", ["name=no-new-privileges"]],
  ])("none: %s", (_, file, host, options) => expect(said(file, host, ...options)).toEqual([]));

  test("the host's network, by remapped users", () =>
    expect(said(FOUR_HOSTS, "s1", "name=userns")).toEqual([
      expect.stringMatching(/:4:\d+: error daemon-unsuitable: .*host "s1" remaps user namespaces.*\n.*`userns-remap`/),
    ]));
  test("a port below 1024, by no new privileges", () =>
    expect(said(DNS, "c1", "name=no-new-privileges")).toEqual([
      expect.stringMatching(/: warning daemon-contradicts: .*cannot listen on a port below 1024: c1\n.*`ports`/),
    ]));
  test.each<[keyof DaemonInfo, string, string]>([
    ["MemoryLimit", "{ memory: 256 }", "cannot limit memory, and each plan has a change because of it: s1"],
    ["SwapLimit", "{ memory: 256 }", "cannot limit swap, and each plan has a change because of it: s1"],
    ["CpuCfsQuota", "{ cpus: 2 }", "cannot limit CPUs: s1"],
    ["CPUSet", '{ cpuset: "0" }', "cannot choose CPUs: s1"],
  ])("limits, without %s", (missing, resources, words) => {
    const file = `${FOUR_HOSTS}resources: ${resources}\n`;
    expect(told(file, "s1", { [missing]: false })).toEqual([expect.stringContaining(words)]);
    expect(told(file, "s1", {})).toEqual([]);
    expect(told(FOUR_HOSTS, "s1", { [missing]: false })).toEqual([]);
  });
});

describe("log options that a deploy leaves", () => {
  const container = (name: string, log_opts: object, log_driver = "json-file"): StateResource => ({
    address: `docker_container.${name}`,
    mode: "managed",
    type: "docker_container",
    name,
    tainted: false,
    deposed: false,
    attributes: { log_driver, log_opts },
  });
  const said = (file: string, ...resources: StateResource[]) =>
    keptLogOptions(load(file), new Map([["c", { outputs: {}, resources }]])).map(describeProblem);
  const SET = { "max-size": "10m", "max-file": "3" };

  test("none: what the file sets, another driver's, and those of others' containers", () =>
    expect(
      said(
        FOUR_HOSTS,
        container("s1", SET),
        container("s2", { compress: "true" }, "local"),
        container("web", { compress: "true" }),
      ),
    ).toEqual([]));
  test("are named once, with their agents", () =>
    expect(
      said(
        FOUR_HOSTS,
        container("s1", { ...SET, compress: "true" }),
        container("s2", { ...SET, compress: "true", tag: "x" }),
      ),
    ).toEqual([
      expect.stringMatching(/warning log-options-kept: .*: compress=true \(s1, s2\), tag=x \(s2\)\n.*under `log`/),
    ]));
  test("none where the file has no options, because a plan then compares none", () =>
    expect(said(`${FOUR_HOSTS}log: { driver: json-file }\n`, container("s1", { compress: "true" }))).toEqual([]));
});
