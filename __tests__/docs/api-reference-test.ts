import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULTS } from "../../cluster/resolve/defaults";
import { DEFAULT_PORTS } from "../../consul/ports";
import { apiReference, publicDeclarations, takesDefaults } from "../../docs/api-reference";
import {
  type Declaration,
  docOf,
  docOfMember,
  exportsOf,
  isOptional,
  membersOf,
  nameOf,
} from "../../docs/declarations";
import { folder } from "../cluster-files";

const DECLARATIONS = [...publicDeclarations().values()].flatMap((declarations) => [...declarations]);
const membersWithDocs = (declaration: Declaration) =>
  membersOf(declaration, () => false).map((member) => ({
    name: nameOf(member),
    type: member.type?.getText(),
    optional: isOptional(member),
    doc: docOfMember(member),
  }));

test.each(DECLARATIONS)("%s is described, and so is each of its members", (_, declaration) => {
  expect(docOf(declaration).text).not.toBe("");
  expect(
    membersWithDocs(declaration)
      .filter(({ doc }) => doc.text === "")
      .map(({ name }) => name),
  ).toEqual([]);
});

test.each(DECLARATIONS.filter(([, declaration]) => takesDefaults(declaration)))(
  "%s says the default of each optional property",
  (_, declaration) => {
    const optional = membersWithDocs(declaration).filter((member) => member.optional);
    expect(optional.filter(({ doc }) => doc.default === undefined).map(({ name }) => name)).toEqual([]);
  },
);

test.each(DECLARATIONS.filter(([name, declaration]) => takesDefaults(declaration) && !name.endsWith("Ports")))(
  "%s says the unit of each number",
  (_, declaration) => {
    const numbers = membersWithDocs(declaration).filter(({ type }) => type === "number");
    expect(numbers.filter(({ doc }) => doc.unit === undefined).map(({ name }) => name)).toEqual([]);
  },
);

const { datacenter, image, ui, restart, readyTimeout, maxParallelClients, stage, subnet, registrator } = DEFAULTS;
const { dns, http, grpc, serf_lan: serfLan, serf_wan: serfWan, server } = DEFAULT_PORTS;

test.each<[string, Readonly<Record<string, unknown>>]>([
  ["ConsulAgentProps", { datacenter, image, ui, restart, readyTimeout }],
  ["ConsulClientProps", { maxParallelClients }],
  ["AgentSecurity", { stage }],
  ["AgentPorts", { dns, http, grpc, serfLan, serfWan, server }],
  ["DockerHostProps", { subnet }],
  ["DaemonAddress", { certs: DEFAULTS.daemonCerts }],
  ["BackupScheduleProps", { keep: DEFAULTS.backups.keep }],
  ["RegistratorProps", { ...registrator, readyTimeout }],
])("the comments of %s have the defaults that the code has", (name, defaults) => {
  const declaration = new Map(DECLARATIONS).get(name) as Declaration;
  const described = membersWithDocs(declaration).filter((member) => member.name in defaults);
  expect(Object.fromEntries(described.map((member) => [member.name, member.doc.default]))).toEqual(
    Object.fromEntries(Object.entries(defaults).map(([key, value]) => [key, JSON.stringify(value)])),
  );
});

test("internal, private and protected members are not on the page", () =>
  expect(apiReference()).not.toMatch(/fileSettings|preStopRequest|networkReference/));

test("a module that exports all of another has no list of names, which is an error", () => {
  const module = join(folder(), "index.ts");
  writeFileSync(module, 'export * from "./other";\n');
  expect(() => exportsOf(module)).toThrow(`the API's page has no place for this export of ${module}: export *`);
});
