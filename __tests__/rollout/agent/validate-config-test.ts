import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder, PROJECT } from "../../cluster-files";

const SCRIPT = readFileSync(join(PROJECT, "rollout/agent/validate-config.sh"), "utf8");

/** What the script says of a configuration, with a stand-in for Consul that says so of it: the real one is asked by the live suite. */
function tried(config: string, { said = "", declared }: { said?: string; declared?: string } = {}) {
  const [bin, place] = [folder(), folder()];
  const services = join(place, "declared");
  mkdirSync(services);
  if (declared !== undefined) writeFileSync(join(services, "services.json"), declared);
  writeFileSync(
    join(bin, "consul"),
    `#!/bin/sh\ncase $1 in version) echo 'Consul v1.22.2' ;; *) printf '%s' '${said}' >&2; [ -z '${said}' ] ;; esac\n`,
  );
  chmodSync(join(bin, "consul"), 0o755);
  const script = SCRIPT.replace("/tmp/agent.json", join(place, "agent.json")).replace(
    "declared=/consul/declared",
    `declared=${services}`,
  );
  return spawnSync("sh", ["-c", script], {
    encoding: "utf8",
    input: config,
    env: { PATH: `${bin}:${process.env.PATH}` },
  }).stdout;
}

const FREE = '{"enable_local_script_checks": true}';
const BOUND = '{"enable_local_script_checks": false}';
const PROGRAM = '{"services": [{"name": "a", "check": {"args": ["/bin/true"], "interval": "1s"}}]}';

test("only the image's version is printed for a configuration that Consul accepts", () =>
  expect(tried(FREE)).toBe("Consul v1.22.2\n"));
test("without a configuration the version is printed", () =>
  expect(tried("", { said: "Config validation failed: x" })).toBe("Consul v1.22.2\n"));
test("a rejection is printed on one line, in Consul's words, without its warnings", () => {
  const said =
    "bootstrap_expect > 0: expecting 3 servers\nConfig validation failed: 1 error occurred:\n\t* invalid config key x\n\n";
  expect(tried(FREE, { said })).toBe("Consul v1.22.2\nrefused: 1 error occurred: * invalid config key x \n");
});
test("warnings are accepted", () => expect(tried(FREE, { said: "bootstrap_expect > 0" })).toBe("Consul v1.22.2\n"));
test("a configuration without script checks is rejected while the agent has one", () => {
  expect(tried(BOUND, { declared: PROGRAM })).toContain("refused: it has script checks");
  expect(tried(FREE, { declared: PROGRAM })).toBe("Consul v1.22.2\n");
  expect(tried(BOUND, { declared: '{"services": [{"name": "a", "check": {"ttl": "1s"}}]}' })).toBe("Consul v1.22.2\n");
  expect(tried(BOUND)).toBe("Consul v1.22.2\n");
});
