import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copiedFiles } from "../../../ops/docker/copied-files";
import { tarArchive } from "../../../rollout/tar";
import { folder } from "../../cluster-files";
import { dockerOnPath } from "../../rollout/container-stand-in";

const DAEMON = { kind: "ssh", url: "ssh://root@10.0.0.1" } as const;
const { PATH } = process.env;
const dockerRuns = dockerOnPath();
const copied = (seconds = 20) => copiedFiles(DAEMON, "s1", "/consul/secrets", seconds);

test("are the regular files of the folder, without what else is in the archive", async () => {
  const at = folder();
  mkdirSync(join(at, "secrets/new.abc"), { recursive: true });
  writeFileSync(join(at, "secrets/ca.pem"), "c".repeat(1500));
  writeFileSync(join(at, "secrets/empty"), "");
  writeFileSync(join(at, "secrets/damaged"), Buffer.from([0xff, 0xfe, 0x0a]));
  symlinkSync("ca.pem", join(at, "secrets/link"));
  const archive = join(at, "archive");
  // As Docker writes it: with extended headers.
  execFileSync("tar", ["--format=pax", "--pax-option=comment:=x", "-cf", archive, "-C", at, "secrets"], {
    env: { PATH },
  });
  dockerRuns(`case "$*" in *"container cp s1:/consul/secrets -") /bin/cat '${archive}' ;; *) exit 1 ;; esac`);
  expect(await copied()).toEqual({
    files: new Map([
      ["ca.pem", "c".repeat(1500)],
      ["damaged", "\ufffd\ufffd\n"],
      ["empty", ""],
    ]),
  });
});

test("are the files that a deploy's own archive has", async () => {
  const archive = join(folder(), "archive");
  writeFileSync(archive, tarArchive([{ name: "ca.pem", content: Buffer.from("the CA\n") }]));
  dockerRuns(`/bin/cat '${archive}'`);
  expect(await copied()).toEqual({ files: new Map([["ca.pem", "the CA\n"]]) });
});

test.each([
  ["Error response from daemon: No such container: s1", "absent"],
  ["Error response from daemon: Could not find the file /consul/secrets in container s1", "absent"],
  ["ssh: connect to host 10.0.0.1 port 22: No route to host", "unreachable"],
  ["Load key /root/.ssh/id: No such file or directory", "unreachable"],
])("%s: %s", async (complaint, kind) => {
  dockerRuns(`echo '${complaint}' >&2; exit 1`);
  expect(await copied()).toEqual({ [kind]: complaint });
});

test("a daemon without an answer in time is unreachable", async () => {
  dockerRuns("exec /bin/sleep 20");
  expect(await copied(0.3)).toEqual({ unreachable: "no answer within 0.3 s" });
});

test("a container that sends without end does not fill the memory", async () => {
  dockerRuns("exec /bin/cat /dev/zero");
  expect(await copied()).toEqual({ unreachable: "its answer is larger than 4194304 bytes" });
});

test("without a docker CLI, that is the reason", async () => {
  process.env.PATH = folder();
  expect(await copied()).toEqual({ unreachable: "there is no docker CLI on the PATH, by which agents are reached" });
});
