import { scheduledBackups } from "../../../ops/backups/scheduled";
import { FOUR_HOSTS, load } from "../../cluster-files";
import { dockerOnPath } from "../../rollout/container-stand-in";

const dockerRuns = dockerOnPath();

test("containers tell their newest snapshot, 0 if they have none, and nothing while they are unreachable", async () => {
  dockerRuns(`case "$*" in
    *10.0.0.1*) printf '0\\n2026-11-25T010516Z.snap\\n2026-11-25T020516Z.snap\\nbefore-upgrade.snap\\n' ;;
    *10.0.0.2*) printf '1\\n' ;;
    *) echo 'No such container: s3-backups' >&2; exit 1 ;;
  esac`);
  expect(await scheduledBackups(load(`${FOUR_HOSTS}\nbackups: {}\n`), 30)).toEqual([
    { server: "s1", host: "s1", newest: Date.UTC(2026, 10, 25, 2, 5, 16) / 1000, failed: false },
    { server: "s2", host: "s2", newest: 0, failed: true },
    { server: "s3", host: "s3", newest: undefined, failed: true },
  ]);
});

test("a cluster without scheduled backups is not asked for them", async () => {
  dockerRuns("exit 1");
  expect(await scheduledBackups(load(FOUR_HOSTS), 30)).toEqual([]);
});
