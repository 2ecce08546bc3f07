import { publicDeclarations, takesDefaults } from "../../docs/api-reference";
import { type Declaration, docOf, docOfMember, isOptional, membersOf, nameOf } from "../../docs/declarations";

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
