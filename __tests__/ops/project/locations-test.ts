import { locationLines } from "../../../ops/project/locations";
import { FOUR_HOSTS, load } from "../../cluster-files";

const locations = (text: string) => locationLines(load(text)).map((line) => line.trim().split(/ {3,}/)[0]);

test("secrets, the Terraform state and snapshots are in the project's folder", () =>
  expect(locations(FOUR_HOSTS.replace("security: off\n", ""))).toEqual([
    "secrets/c",
    "terraform.c.tfstate",
    "backups/c",
  ]));

test("a cluster without security has no secrets", () =>
  expect(locations(FOUR_HOSTS)).toEqual(["terraform.c.tfstate", "backups/c"]));

test("each stack has a Terraform state", () =>
  expect(locations(FOUR_HOSTS.replace("c1: 10.0.0.4", "c1: { address: 10.0.0.4, group: west }"))).toContain(
    "terraform.<stack>.tfstate",
  ));

test("a backend is named, and its address is not printed", () =>
  expect(locations(`${FOUR_HOSTS}backend: { s3: { bucket: b, region: r } }\n`)).toContain("backend s3"));
