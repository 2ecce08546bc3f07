import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder, PROJECT } from "../../cluster-files";

const SCRIPT = readFileSync(join(PROJECT, "rollout/agent/validate-config.sh"), "utf8");

/** The script's output for a configuration, with a stand-in for Consul. The end-to-end tests use the real Consul. */
function validate(config: string, { output = "", declared }: { output?: string; declared?: string } = {}) {
  const [bin, root] = [folder(), folder()];
  const services = join(root, "declared");
  mkdirSync(services);
  if (declared !== undefined) writeFileSync(join(services, "services.json"), declared);
  writeFileSync(
    join(bin, "consul"),
    `#!/bin/sh\ncase $1 in version) echo 'Consul v1.22.2' ;; *) printf '%s' '${output}' >&2; [ -z '${output}' ] ;; esac\n`,
  );
  chmodSync(join(bin, "consul"), 0o755);
  const script = SCRIPT.replace("/tmp/agent.json", join(root, "agent.json")).replace(
    "declared=/consul/declared",
    `declared=${services}`,
  );
  return spawnSync("sh", ["-c", script], {
    encoding: "utf8",
    input: config,
    env: { PATH: `${bin}:${process.env.PATH}` },
  }).stdout;
}

const WITH_SCRIPTS = '{"enable_local_script_checks": true}';
const WITHOUT_SCRIPTS = '{"enable_local_script_checks": false}';
const SCRIPT_CHECK = '{"services": [{"name": "a", "check": {"args": ["/bin/true"], "interval": "1s"}}]}';

test("only the image's version is printed for a configuration that Consul accepts", () =>
  expect(validate(WITH_SCRIPTS)).toBe("Consul v1.22.2\n"));
test("without a configuration the version is printed", () =>
  expect(validate("", { output: "Config validation failed: x" })).toBe("Consul v1.22.2\n"));
test("a rejection is printed on one line, in Consul's words, without its warnings", () => {
  const output =
    "bootstrap_expect > 0: expecting 3 servers\nConfig validation failed: 1 error occurred:\n\t* invalid config key x\n\n";
  expect(validate(WITH_SCRIPTS, { output })).toBe(
    "Consul v1.22.2\nrefused: 1 error occurred: * invalid config key x \n",
  );
});
test("warnings are accepted", () =>
  expect(validate(WITH_SCRIPTS, { output: "bootstrap_expect > 0" })).toBe("Consul v1.22.2\n"));
test("a configuration without script checks is rejected while the agent has one", () => {
  expect(validate(WITHOUT_SCRIPTS, { declared: SCRIPT_CHECK })).toContain("refused: it has script checks");
  expect(validate(WITH_SCRIPTS, { declared: SCRIPT_CHECK })).toBe("Consul v1.22.2\n");
  expect(validate(WITHOUT_SCRIPTS, { declared: '{"services": [{"name": "a", "check": {"ttl": "1s"}}]}' })).toBe(
    "Consul v1.22.2\n",
  );
  expect(validate(WITHOUT_SCRIPTS)).toBe("Consul v1.22.2\n");
});
