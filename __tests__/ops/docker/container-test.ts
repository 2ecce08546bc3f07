import { daemonInfo, listContainers } from "../../../ops/docker/container";
import { hostContainers } from "../../../ops/docker/hosts";
import { FOUR_HOSTS, load } from "../../cluster-files";
import { dockerOnPath } from "../../rollout/container-stand-in";

const DAEMON = { kind: "ssh", url: "ssh://root@10.0.0.1" } as const;
const dockerRuns = dockerOnPath();

test("containers are listed with their first name and their whole command", async () => {
  dockerRuns(`printf '1\\ts1,other/alias\\trunning\\t"agent -node=s1"\\n2\\tweb\\texited\\t"nginx"\\n'`);
  expect(await listContainers(DAEMON)).toEqual([
    { id: "1", name: "s1", state: "running", command: '"agent -node=s1"' },
    { id: "2", name: "web", state: "exited", command: '"nginx"' },
  ]);
});

test("a daemon without containers is reachable", async () => {
  dockerRuns("exit 0");
  expect(await listContainers(DAEMON)).toEqual([]);
});

test("of each host, its containers or the last line of why it is unreachable", async () => {
  dockerRuns(
    `case "$*" in *10.0.0.4*) printf 'first\\nno route to host\\n' >&2; exit 1 ;; *) printf '1\\ts\\trunning\\tx\\n' ;; esac`,
  );
  const found = await hostContainers(load(FOUR_HOSTS).hosts);
  expect(found.get("c1")).toBe("no route to host");
  expect(found.get("s1")).toEqual([{ id: "1", name: "s", state: "running", command: "x" }]);
});

test.each([
  ["what a daemon tells of itself", `echo '{"ServerVersion":"28.5.2","SwapLimit":true}'`, { SwapLimit: true }],
  ["nothing, if the docker CLI tells its own part alone", `echo '{"ClientInfo":{}}'`, undefined],
  ["nothing, if the daemon is unreachable", "exit 1", undefined],
])("%s", async (_, script, expected) => {
  dockerRuns(script);
  const info = await daemonInfo(DAEMON);
  if (expected) expect(info).toMatchObject(expected);
  else expect(info).toBeUndefined();
});
