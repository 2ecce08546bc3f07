import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder, PROJECT } from "../cluster-files";

/** Runs read-token.sh with a program that prints its token and its arguments. */
function read(token: string | undefined, ...words: string[]) {
  const file = join(folder(), "token");
  if (token !== undefined) writeFileSync(file, token);
  const script = join(PROJECT, "container/read-token.sh");
  const program = ["/bin/sh", "-c", 'printf "%s" "$CONSUL_HTTP_TOKEN"; printf " <%s>" "$@"', "sh"];
  const { status, stdout } = spawnSync("/bin/sh", [script, ...program, ...words], {
    encoding: "utf8",
    env: { CONSUL_HTTP_TOKEN_FILE: file },
  });
  return { status, stdout };
}

test("the program has the token in its environment, and its arguments whole", () => {
  expect(read("6f-secret\n", "-tags=a b", "$HOME")).toEqual({ status: 0, stdout: "6f-secret <-tags=a b> <$HOME>" });
});
test("without the file the program does not start, instead of running without a token", () => {
  const { status, stdout } = read(undefined, "-x");
  expect(status).not.toBe(0);
  expect(stdout).toBe("");
});
