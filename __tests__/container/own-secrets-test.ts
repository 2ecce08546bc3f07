import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder, PROJECT } from "../cluster-files";

/** Runs own-secrets.sh with stand-ins for chown and chmod. The end-to-end tests run it as root of a container. */
function own(chown = "exit 0") {
  const bin = folder();
  const log = join(bin, "calls");
  for (const [name, end] of Object.entries({ chown, chmod: "exit 0" })) {
    writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >>${log}\n${end}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const program = ["/bin/sh", "-c", `touch ${bin}/started; printf "<%s>" "$@"; exit 5`, "sh", "a b", "$HOME"];
  const { status, stdout } = spawnSync("/bin/sh", [join(PROJECT, "container/own-secrets.sh"), ...program], {
    encoding: "utf8",
    env: { PATH: `${bin}:${process.env.PATH}` },
  });
  const calls = readFileSync(log, "utf8").trim().split("\n");
  return { status, stdout, calls, started: existsSync(join(bin, "started")) };
}

test("the secrets are for root and Consul's group alone, and the program has its arguments whole", () => {
  const { status, stdout, calls } = own();
  expect({ status, stdout }).toEqual({ status: 5, stdout: "<a b><$HOME>" });
  expect(calls.slice(0, 2)).toEqual(["chown -R root:consul /consul/secrets", "chmod 750 /consul/secrets"]);
  expect(calls[2]).toMatch(/^chmod 440 \/consul\/secrets\//);
});

test("if Consul's group cannot own the secrets, the program does not start", () => {
  expect(own("exit 1")).toMatchObject({ status: 1, stdout: "", started: false });
});
