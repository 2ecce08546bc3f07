import { FOUR_HOSTS, load } from "../../cluster-files";

const backups = (text: string) => load(`${FOUR_HOSTS}${text}`).backups;

test("a cluster saves nothing by itself, unless it is told to", () => expect(backups("")).toBeUndefined());
test("every hour, and the last day's, unless it is told otherwise", () =>
  expect(backups("backups: {}\n")).toEqual({ every: 3600, keep: 24 }));
test.each([
  ["5s", 5],
  ["90s", 90],
  ["30m", 1800],
  ["1h30m", 5400],
  ["24h", 86_400],
  ["1h1m1s", 3661],
])("every %s are %i seconds", (every, seconds) =>
  expect(backups(`backups: { every: ${every} }\n`)?.every).toBe(seconds),
);
test("several servers of a host may share a folder", () => {
  const text = `name: c
security: off
network: bridge
daemon: unix:///var/run/docker.sock
hosts: { local: 127.0.0.1 }
servers: [{ name: s1, host: local }, { name: s2, host: local }, { name: s3, host: local }]
backups: { to: /srv/backups }
`;
  expect(load(text).warnings).toEqual([]);
});
