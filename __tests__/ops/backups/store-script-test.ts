import { ContainerScript } from "../container-script";

const INSPECTED = '{"Meta": {"Index": 33}}';
const container = () =>
  new ContainerScript("backups/store.sh", ["/consul/backups/"]).program(
    "consul",
    `for file; do :; done
[ "$(cat "$file")" = good ] && { echo '${INSPECTED}'; exit; }
printf 'Error reading "%s":\\nunexpected EOF\\n' "$(basename "$file")" >&2
exit 1`,
  );

test("each snapshot is listed with its size and its content, or why it is damaged", () => {
  const host = container()
    .write("/consul/backups/a.snap", "good\n")
    .write("/consul/backups/two words.snap", "half")
    .write("/consul/backups/.unfinished.s1", "h");
  const lines = host.run().stdout.trim().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { name: "a.snap", bytes: 5, inspected: INSPECTED, flaw: "" },
    { name: "two words.snap", bytes: 4, inspected: "", flaw: 'Error reading "two words.snap":\nunexpected EOF' },
  ]);
});

test("without snapshots nothing is listed", () => expect(container().run()).toMatchObject({ status: 0, stdout: "" }));
