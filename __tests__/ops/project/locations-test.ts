import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describeProblem } from "../../../cluster/problem";
import { checkoutWarnings, type Location, locationLines, locationsOf } from "../../../ops/project/locations";
import { FOUR_HOSTS, folder, load } from "../../cluster-files";

const SECURED = FOUR_HOSTS.replace("security: off\n", "");

/** A project beside whose folder there is nothing. */
let project: string;
beforeEach(() => {
  project = join(folder(), "project");
  mkdirSync(project);
});
const locations = (text: string, deployed = false): Location[] => locationsOf(load(text), deployed, project);
const paths = (text: string) => locations(text).map(({ location }) => location);

test("secrets, the Terraform state and snapshots are in the project's folder", () =>
  expect(paths(SECURED)).toEqual(["secrets/c", "terraform.c.tfstate", "backups/c"]));

test("with a private folder, they are there", () =>
  expect(paths(`${SECURED}private_folder: ../c-private\n`)).toEqual([
    "../c-private/secrets/c",
    "../c-private/terraform.c.tfstate",
    "../c-private/backups/c",
  ]));

test("a cluster without security has no secrets", () =>
  expect(paths(FOUR_HOSTS)).toEqual(["terraform.c.tfstate", "backups/c"]));

test("each stack has a Terraform state", () =>
  expect(paths(FOUR_HOSTS.replace("c1: 10.0.0.4", "c1: { address: 10.0.0.4, group: west }"))).toContain(
    "terraform.<stack>.tfstate",
  ));

test("a backend is named, and its address is not printed", () =>
  expect(paths(`${FOUR_HOSTS}backend: { s3: { bucket: b, region: r } }\n`)).toContain("backend s3"));

test("before the first deploy nothing has a copy, but what is stored elsewhere", () => {
  const copies = (text: string) => locations(text).map(({ copy }) => copy);
  expect(copies(SECURED)).toEqual(["none", "none", "none"]);
  expect(copies(`${SECURED}backend: { s3: { bucket: b, region: r } }\nbackups: { keep: 5 }\n`)).toEqual([
    "none",
    "all",
    "all",
  ]);
});

test("after it, the containers have most of the secrets, and the Terraform state can be written from them", () => {
  const found = locations(`${SECURED}backups: { keep: 5 }\n`, true);
  expect(found.map(({ copy }) => copy)).toEqual(["part", "part", "all"]);
  expect(locationLines(found)).toEqual([
    "  secrets/c             secrets: no copy of the operator's certificate; containers have the rest",
    "  terraform.c.tfstate   Terraform state: no copy; npm run adopt writes it from the containers",
    "  backups/c             snapshots: the servers' hosts store the newest 5 of their own",
  ]);
});

describe("in a git checkout", () => {
  beforeEach(() => mkdirSync(join(project, ".git")));

  test("each location tells whether git clean removes it", () => {
    const found = locations(`${SECURED}private_folder: ../c-private\nsecurity: { secrets: secrets/c }\n`);
    expect(found.map(({ inCheckout }) => inCheckout)).toEqual([true, false, false]);
    expect(locationLines(found)).toEqual([
      "  secrets/c                          secrets: no copy; in a git checkout: git clean -fdx removes it",
      "  ../c-private/terraform.c.tfstate   Terraform state: no copy",
      "  ../c-private/backups/c             snapshots: no copy, and none until npm run backup",
    ]);
  });

  const warnings = (text: string) => {
    const before = process.cwd();
    process.chdir(project);
    try {
      return checkoutWarnings(load(text), locationsOf(load(text), false)).map(describeProblem);
    } finally {
      process.chdir(before);
    }
  };

  test("the defaults are a warning that names what is in it, and the key that moves it out", () => {
    const [warning, ...others] = warnings(SECURED);
    expect(others).toEqual([]);
    expect(warning).toContain(
      "warning files-in-checkout: secrets/c, terraform.c.tfstate, backups/c are in the git checkout",
    );
    expect(warning).toContain("write private_folder: ../project-private,");
  });

  test("a private folder out of it is no warning", () =>
    expect(warnings(`${SECURED}private_folder: ../c-private\n`)).toEqual([]));

  test("a private folder in the checkout around it is one, at the key", () => {
    mkdirSync(join(project, "../.git"));
    const [warning] = warnings(`${SECURED}private_folder: ../c-private\n`);
    const line = `${SECURED}private_folder`.split("\n").length;
    expect(warning).toContain(`:${line}:17: warning files-in-checkout: ../c-private/secrets/c, `);
    expect(warning).toContain("write private_folder: ../../");
  });
});
