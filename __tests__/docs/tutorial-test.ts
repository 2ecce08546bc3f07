import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULTS } from "../../cluster/resolve/defaults";
import { articleCommand } from "../../e2e/article";
import { documented } from "../../e2e/documented";
import { expectPrinted } from "../../e2e/page";
import { EventText, summaryLines } from "../../ops/deploy/event-text";
import { changesOf } from "../../ops/explain/changes";
import { stackText, summaryText } from "../../ops/explain/changes-text";
import { text } from "../../ops/status/format";
import { statusOf } from "../../ops/status/status";
import type { ResourceChange, Values } from "../../ops/terraform/plan";
import { folder, load, PROJECT } from "../cluster-files";
import { run } from "../command-line";
import { Watched } from "../ops/deploy/recorded-deploys";
import { STOPPED, surveyOf } from "../ops/status/surveys";
import { stacksOf } from "../synthesized";

/** docs/tutorial.md shows outputs. Each is one of the program, for the page's own cluster file. */
const [FILE, CHANGE] = documented("docs/tutorial.md", "yaml") as [string, string];
const cluster = load(FILE);
/** Blocks without a language, whose lines may be indented in a numbered step. */
const outputs = [...readFileSync(join(PROJECT, "docs/tutorial.md"), "utf8").matchAll(/^( *)```(\w*)\n(.*?)^\1```$/gms)]
  .filter(([, , language]) => language === "")
  .map(([, indent = "", , block = ""]) => block.split("\n").map((line) => line.slice(indent.length)))
  .map((lines) => lines.filter((line) => line !== ""));
const [LOCAL = [], _WRITTEN, _READ, REMOVED = []] = outputs;
const [SECRETS = [], CREATED = [], COUNTED = [], STATUS = [], CHANGED = [], REPLACED = [], PROBLEM = []] =
  outputs.slice(4);
const [ARTICLE = [], DRY_RUN = []] = outputs.slice(11);

/** Expects lines in an output, in their order; others may stand between them. */
function expectShown(shown: readonly string[], output: string): void {
  const lines = output.split("\n");
  let from = 0;
  for (const line of shown) {
    const index = lines.indexOf(line, from);
    expect(index < 0 ? `not printed after line ${from}: ${line}` : "").toBe("");
    from = index + 1;
  }
}

/** The resources of a cluster's only stack. */
const resourcesOf = (file: string) =>
  Object.entries(Object.values(stacksOf(load(file)))[0]?.resource ?? {}).flatMap(([type, ofType]) =>
    Object.entries(ofType).map(([name, resource]) => {
      // Terraform's plan does not have them.
      const { provisioner: _, depends_on: __, ...attributes } = resource as Values;
      return { address: `${type}.${name}`, type, name, attributes };
    }),
  );

/** What `npm run diff` prints of a plan that creates all resources, or replaces those that differ. */
function diffOf(after: string, before?: string): string {
  const former = new Map(before === undefined ? [] : resourcesOf(before).map((one) => [one.address, one.attributes]));
  const changes = changesOf({
    resource_changes: resourcesOf(after).map(({ attributes, ...resource }) => {
      const old = former.get(resource.address);
      const isSame = JSON.stringify(old) === JSON.stringify(attributes);
      const actions: ResourceChange["change"]["actions"] = !old
        ? ["create"]
        : isSame
          ? ["no-op"]
          : ["delete", "create"];
      return {
        ...resource,
        mode: "managed",
        change: { actions, before: old ?? null, after: attributes, after_unknown: {} },
      };
    }),
  });
  return [...stackText("consul", changes), summaryText([changes])].join("\n");
}

/** The last line of a plan that removes all resources. */
function removalOf(file: string): string {
  const changes = resourcesOf(file).map(({ attributes, ...resource }) => ({
    ...resource,
    mode: "managed" as const,
    change: { actions: ["delete" as const], before: attributes, after: null, after_unknown: {} },
  }));
  return summaryText([changesOf({ resource_changes: changes })]);
}

const statusText = (made = {}, of = cluster) => text(statusOf(of, surveyOf(of, made)), { colour: false, all: false });

/** How a deploy or `destroy` of a cluster ends. */
const ended = (command: "deploy" | "destroy"): string =>
  summaryLines({
    event: "summary",
    ...{ command, result: "done", seconds: 48, failures: [], untouched: [], unfinished: [] },
  }).join("\n");

test("the page has as many outputs as are compared here", () => expect(outputs).toHaveLength(13));

test("deploy, status and destroy print what the page shows of the local cluster", () => {
  const file = readFileSync(join(PROJECT, "clusters/local.yaml"), "utf8");
  const local = load(file);
  const says = { services: [] };
  const status = statusText({ agents: Object.fromEntries(local.agents.map(({ name }) => [name, { says }])) }, local);
  const [network] = resourcesOf(file).flatMap(({ name, attributes }) =>
    name === "consul-server1" ? attributes.networks_advanced : [],
  ) as { readonly ipv4_address: string }[];
  const printed = [diffOf(file), ended("deploy"), status]
    .join("\n")
    .replaceAll("hashicorp/consul:1.22.2", DEFAULTS.image)
    .replace("127.0.0.1:8300", `${network?.ipv4_address}:8300`);
  expectPrinted(LOCAL.join("\n"), printed);
  const [, ...removed] = REMOVED;
  expectPrinted(removed.join("\n"), `${removalOf(file)}\n${ended("destroy")}`);
  // The first line, and what curl prints, are those of a run: e2e/local-e2e.ts.
});

test("secrets init prints what the page shows, on other days", async () => {
  const made = folder();
  const file = join(made, "consul.yaml");
  writeFileSync(file, `${FILE}security: { secrets: ${join(made, "secrets")} }\n`);
  const { status, stdout } = await run(["secrets", "init"], { env: { CLUSTER: file } });
  expect(status).toBe(0);
  const anyDay = (line: string) => line.replace(/\d{4}-\d\d-\d\d/, "DAY");
  expectShown(SECRETS.map(anyDay), stdout.split("\n").map(anyDay).join("\n"));
});

test("diff prints what the page shows, before the first deploy and after the edit", () => {
  const first = diffOf(FILE);
  expectShown(CREATED, first);
  expectShown(COUNTED, first);
  expectShown(CHANGED, diffOf(FILE + CHANGE, FILE));
});

test("status prints what the page shows, of a healthy cluster and of one with a stopped container", () => {
  expectShown(STATUS, statusText());
  expectShown(PROBLEM, statusText({ agents: { "consul-client1": STOPPED } }));
});

test("a recorded deploy of the four agents has printed what the page shows", () => {
  const events = new EventText();
  const printed = new Watched().replay("rolling").events.flatMap((event) => events.lines(event));
  expectShown(REPLACED, printed.join("\n"));
});

test("the commands of the article are those that the tests of an adoption type", () =>
  expect(ARTICLE).toEqual(
    ["consul-server1", "consul-server2", "consul-server3", "consul-client1"].map(
      (name) => `docker ${articleCommand(name).join(" ")}`,
    ),
  ));

test("the end-to-end test of an adoption expects what the page shows of its dry run", () => {
  const suite = readFileSync(join(PROJECT, "e2e/adopt-full-e2e.ts"), "utf8");
  expect(DRY_RUN).toHaveLength(1);
  for (const line of DRY_RUN) expect(suite).toContain(`"${line}"`);
});
