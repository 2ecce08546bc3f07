import { withPresentNames } from "../../../ops/command-line/former-names";

const present = (line: string): string => withPresentNames(line.split(" ").filter(Boolean)).join(" ");

test.each([
  ["deploy --accept big-group", "deploy --allow big-group"],
  ["diff --accept=big-group x", "diff --allow=big-group x"],
  ["secrets retire", "secrets revoke"],
  ["secrets forget --json", "secrets clean --json"],
  ["secrets rotate leaves web1 --leaves issued/", "secrets rotate certificates web1 --certificates issued/"],
  ["secrets init --leaves=a=b", "secrets init --certificates=a=b"],
  ["secrets --json check", "secrets check --json"],
  ["secrets --json retire", "secrets revoke --json"],
  ["secrets --ca ca.pem --ca-key key.pem init", "secrets init --ca ca.pem --ca-key key.pem"],
  [
    "secrets --json rotate --leaves issued/ leaves web1",
    "secrets rotate certificates --json --certificates issued/ web1",
  ],
])("%s still means %s", (former, line) => expect(present(former)).toBe(line));

test.each([
  "",
  "status --json",
  "secrets",
  "secrets --help",
  "secrets help init",
  "secrets show dns",
  "secrets rotate tokens leaves",
  "logs forget",
])("%j stays as it is", (line) => expect(present(line)).toBe(line));
