import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT } from "../package/checkout";
import { Project } from "./project";
import type { TestBed } from "./test-bed/test-bed";
import { RUN_FOLDER } from "./test-bed/world";

/** Files name this folder of a host, which the default test bed removes with all else of its own. */
const HOST_DATA_OF_DEFAULT = "/var/lib/consul-cdktf-rig/host-data";

/** The folder of a host that an agent has its data in. */
export const HOST_DATA = join(RUN_FOLDER, "host-data");

/** A cluster file, or a stack's JSON, for the test bed that runs. */
export const onThisTestBed = (text: string): string => text.replaceAll(HOST_DATA_OF_DEFAULT, HOST_DATA);

/** A project with e2e/clusters/daemons.yaml, on a test bed without containers, with the credentials that it needs. */
export async function daemonsProject(testBed: TestBed): Promise<Project> {
  await testBed.reset();
  rmSync(HOST_DATA, { recursive: true, force: true });
  testBed.operator.logIn(testBed.registry.addresses.private, testBed.registry.credentials);
  const project = new Project(testBed.operator, "clusters/daemons.yaml");
  const text = readFileSync(join(CHECKOUT, "e2e/clusters/daemons.yaml"), "utf8");
  writeFileSync(join(project.folder, project.clusterFile), onThisTestBed(text));
  symlinkSync(join(testBed.operator.home, ".docker"), join(project.folder, "certs"));
  return project;
}
