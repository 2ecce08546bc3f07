import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCa } from "../../../ops/secrets/certificates";
import { sha256 } from "../../../ops/sha256";
import { folder, PROJECT } from "../../cluster-files";

const SCRIPT = join(PROJECT, "ops/inspect/container-facts.sh");
const HTTPS = "https://127.0.0.1:8501/v1/status/leader";
const NO_ANSWER = { curl: "exit 7" };
const pem = async (name: string) => (await makeCa(name, new Date())).cert;

/** Runs the script with stand-ins for programs. End-to-end tests use the container's own. */
function facts(programs: Readonly<Record<string, string>>, ...args: string[]): string {
  const bin = folder();
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const env = { PATH: `${bin}:${process.env.PATH}` };
  return spawnSync("sh", [SCRIPT, "2", ...args], { encoding: "utf8", env, timeout: 20_000 }).stdout;
}

function file(text: string): string {
  const path = join(folder(), "file");
  writeFileSync(path, text);
  return path;
}

test("the certificate is the first of the TLS handshake", async () => {
  const [own, issuer] = [await pem("own"), await pem("issuer")];
  const curl = `[ "$*" = '-ksS -m 2 -o /dev/null -w %{certs} ${HTTPS}' ] || exit
cat <<'PEM'\nSubject:CN = own\n${own}Subject:CN = issuer\n${issuer}PEM`;
  expect(facts({ curl }, HTTPS, file(issuer))).toBe(`${own}end\n`);
});

test("without an answer it is the first of the file, and without HTTPS too", async () => {
  const own = await pem("own");
  const stored = file(`\n${own}\n${await pem("issuer")}`);
  expect(facts(NO_ANSWER, HTTPS, stored)).toBe(`${own}end\n`);
  expect(facts({ curl: "echo asked" }, "", stored)).toBe(`${own}end\n`);
});

test("there may be no certificate, and no file", () => {
  expect(facts(NO_ANSWER, HTTPS, "/nowhere")).toBe("end\n");
  expect(facts(NO_ANSWER, "", "")).toBe("end\n");
});

test("files have their SHA-256, and missing ones have none", () => {
  const path = file("{}\n");
  expect(facts(NO_ANSWER, "", "", path, "/nowhere")).toBe(`${sha256("{}\n")}  ${path}\nend\n`);
});

test("the output has no end when the sums are not known", () =>
  expect(facts({ sha256sum: "kill -KILL $$" }, "", "", file("{}\n"))).toBe(""));
