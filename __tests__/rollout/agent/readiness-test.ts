import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { folder, PROJECT } from "../../cluster-files";

const READINESS = readFileSync(join(PROJECT, "rollout/agent/readiness.sh"), "utf8");

/**
 * The readiness check of a new server whose address differs from its lost predecessor's. The leader lists the predecessor
 * until the server has joined by gossip `syncs` times.
 */
function readiness(syncs: number): { status: number | null; output: string } {
  const synced = join(folder(), "synced");
  const stubs = `
url=http://127.0.0.1:8500 header=/nowhere
now() { date +%s; }
value() { jq -r "$@"; }
log() { [ "\${logged:-}" = "$1" ] || echo "$1"; logged=$1; }
leader() { echo 10.0.0.1:8300; }
release_lock() { echo "the lock is released"; }
ask() {
  case $1 in
  /v1/agent/self) echo '{"Config": {"NodeID": "new"}}' ;;
  /v1/agent/members) echo '[{"Name": "s1", "Addr": "10.0.0.1", "Port": 8301, "Status": 1, "Tags": {"role": "consul"}}]' ;;
  /v1/agent/join/10.0.0.1:8301) echo >>'${synced}' ;;
  '/v1/operator/raft/configuration?stale') echo '{"Servers": [{"ID": "new", "Node": "s5", "Voter": true}]}' ;;
  /v1/operator/raft/configuration)
    [ "$(wc -l <'${synced}')" -ge ${syncs} ] && name=s5 || name='(unknown)'
    echo '{"Servers": [{"ID": "old", "Node": "s5", "Voter": true}, {"ID": "new", "Node": "'"$name"'", "Voter": true}]}'
    ;;
  esac
}`;
  const { status, stdout } = spawnSync(
    "sh",
    ["-c", `${stubs}\n${READINESS}`, "readiness", "4", "owner", "server", "s5", "3"],
    {
      encoding: "utf8",
    },
  );
  return { status, output: stdout };
}

test("a server is ready when the leader lists it under its name, instead of its lost predecessor", () =>
  expect(readiness(2)).toEqual({
    status: 0,
    output:
      "a voter, waiting until the leader knows it instead of its lost predecessor\nthe lock is released\ns5: ready, a voter, leader 10.0.0.1:8300\n",
  }));
test("until then it keeps the deploy lock", () => {
  expect(readiness(100)).toEqual({
    status: 3,
    output: "a voter, waiting until the leader knows it instead of its lost predecessor\n",
  });
});
