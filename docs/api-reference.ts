import { join, posix } from "node:path";
import * as ts from "typescript";
import { exports as entries, name as packageName } from "../package.json";
import {
  type Declaration,
  type Doc,
  declarationOf,
  docOf,
  docOfMember,
  exportsOf,
  heritageOf,
  isOptional,
  isPublicMember,
  isStatic,
  type Member,
  membersOf,
  nameOf,
} from "./declarations";
import { escaped, table } from "./markdown";

const PROJECT = join(__dirname, "..");

/** What the package exports: for each entry of package.json, its declarations by name. */
export function publicDeclarations(): Map<string, Map<string, Declaration>> {
  const modules = Object.entries(entries).flatMap(([entry, files]): [string, Map<string, Declaration>][] => {
    if (typeof files === "string") return [];
    const source = files.types.replace("./dist/", "").replace(/\.d\.ts$/, ".ts");
    return [[posix.join(packageName, entry), exportsOf(join(PROJECT, source))]];
  });
  return new Map(modules);
}

/** The classes, functions and types that the package exports, as a page of the documentation. */
export function apiReference(): string {
  const modules = publicDeclarations();
  const page = new ApiPage([...modules.values()].flatMap((declarations) => [...declarations]));
  return [
    "# API",
    "",
    "`npm run generate` writes this page from the declarations that the package exports, and from their doc comments.",
    "[A project of your own](projects.md) shows how the package is installed.",
    "",
    "Names of Consul's own documents (services, checks, `config`) are Consul's. Paths of files are relative to the project's",
    "folder, or absolute.",
    ...[...modules].flatMap(([name, declarations]) => ["", `## ${name}`, ...page.contents(declarations)]),
    ...[...modules.values()].flatMap((declarations) =>
      byName(declarations).flatMap(([name, declaration]) => page.section(name, declaration)),
    ),
    "",
  ].join("\n");
}

const byName = (declarations: Iterable<[string, Declaration]>): [string, Declaration][] =>
  [...declarations].sort(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));

const KINDS = [
  ["Classes", ts.isClassDeclaration],
  ["Functions", ts.isFunctionDeclaration],
  ["Objects", ts.isVariableDeclaration],
  ["Interfaces", ts.isInterfaceDeclaration],
  ["Types", ts.isTypeAliasDeclaration],
] as const satisfies [string, (node: ts.Node) => boolean][];

class ApiPage {
  private readonly names: ReadonlySet<string>;
  private readonly declarations: ReadonlySet<Declaration>;

  constructor(declarations: readonly [string, Declaration][]) {
    this.names = new Set(declarations.map(([name]) => name));
    this.declarations = new Set(declarations.map(([, declaration]) => declaration));
  }

  contents(declarations: ReadonlyMap<string, Declaration>): string[] {
    return KINDS.flatMap(([heading, isKind]) => {
      const lines = byName(declarations)
        .filter(([, declaration]) => isKind(declaration))
        .map(([name, declaration]) => `- [\`${name}\`](${anchor(name)}): ${firstSentence(docOf(declaration).text)}`);
      return lines.length > 0 ? ["", `${heading}:`, "", ...lines] : [];
    });
  }

  section(name: string, declaration: Declaration): string[] {
    const members = membersOf(declaration, (base) => this.declarations.has(base));
    const properties = members.filter((member) => !isMethod(member));
    const created = ts.isClassDeclaration(declaration) && declaration.members.find(ts.isConstructorDeclaration);
    return [
      "",
      `## ${name}`,
      ...this.heritage(declaration),
      ...prose(docOf(declaration)),
      ...(ts.isFunctionDeclaration(declaration) ? this.callable(name, declaration, docOf(declaration)) : []),
      ...(ts.isTypeAliasDeclaration(declaration) ? this.alias(declaration) : []),
      ...(created && isPublicMember(created) ? this.callable(`new ${name}`, created, docOf(created)) : []),
      ...examplesIn(docOf(declaration)),
      ...(properties.length > 0 ? this.properties(properties, takesDefaults(declaration)) : []),
      ...members.filter(isMethod).flatMap((method) => this.method(name, method)),
    ];
  }

  private heritage(declaration: Declaration): string[] {
    const bases = heritageOf(declaration)
      .filter(({ expression }) => {
        const base = declarationOf(expression.getText(), declaration.getSourceFile());
        return base === undefined || this.declarations.has(base);
      })
      .map((base) => this.type(base.getText()));
    return bases.length > 0 ? ["", `Extends ${bases.join(" and ")}.`] : [];
  }

  /** A type that is derived from the product's own schemas is described by its text alone. */
  private alias({ name, type, typeParameters }: ts.TypeAliasDeclaration): string[] {
    const derived = namesIn(type).some((used) => !this.names.has(used) && declarationOf(used, type.getSourceFile()));
    if (derived || typeParameters || /\btypeof\b/.test(type.getText())) return [];
    return code(`type ${name.text} = ${oneLine(type.getText())}`);
  }

  private method(owner: string, method: ts.MethodDeclaration | ts.MethodSignature): string[] {
    const doc = docOfMember(method);
    const name =
      isStatic(method) || ts.isObjectLiteralExpression(method.parent) ? `${owner}.${nameOf(method)}` : nameOf(method);
    return ["", `### ${name}`, ...prose(doc), ...this.callable(name, method, doc), ...examplesIn(doc)];
  }

  private callable(name: string, node: ts.SignatureDeclaration, { params, throws }: Doc): string[] {
    const list = node.parameters.map((parameter) => {
      const type = oneLine(parameter.type?.getText() ?? "");
      const label = ts.isIdentifier(parameter.name) ? parameter.name.text : "props";
      const optional = parameter.questionToken || parameter.initializer ? "?" : "";
      const meaning = params.get(label);
      return { label, type, meaning, text: `${parameter.dotDotDotToken ? "..." : ""}${label}${optional}: ${type}` };
    });
    const returns = node.type ? `: ${oneLine(node.type.getText())}` : "";
    const explained = list.filter(({ type, meaning }) => meaning || this.type(type).includes("]("));
    return [
      ...code(`${name}(${list.map(({ text }) => text).join(", ")})${returns}`),
      ...(explained.length > 0 ? [""] : []),
      ...explained.map(
        ({ label, type, meaning }) =>
          `- \`${label}\`: ${this.type(type)}${meaning ? `, ${escaped(oneLine(meaning))}` : ""}`,
      ),
      ...throws.flatMap((text) => ["", `Throws ${this.error(text)}.`]),
    ];
  }

  /** The first word of `@throws` is the error's class. */
  private error(text: string): string {
    const [name = "", ...rest] = oneLine(text).split(" ");
    return `${this.type(name)} ${escaped(rest.join(" "))}`;
  }

  private properties(members: readonly Member[], withDefaults: boolean): string[] {
    const rows = members.flatMap((member) => this.rows(member, ""));
    const columns: [string, (row: Row) => string][] = [
      ["property", ({ name, optional }) => `\`${name}${optional && !withDefaults ? "?" : ""}\``],
      ["type", ({ type }) => this.type(type)],
    ];
    if (withDefaults)
      columns.push(["default", ({ doc, optional }) => (optional ? value(doc.default ?? "") : "required")]);
    if (rows.some(({ doc }) => doc.unit)) columns.push(["unit", ({ doc }) => escaped(doc.unit ?? "")]);
    columns.push(["meaning", ({ doc }) => linkedPages(escaped(oneLine(doc.text)))]);
    return [
      "",
      ...table(
        columns.map(([heading]) => heading),
        rows.map((row) => columns.map(([, cell]) => cell(row))),
      ),
    ];
  }

  /** A property, and those of an object that is written in its place. */
  private rows(member: Member, prefix: string): Row[] {
    const { type } = member;
    const name = `${prefix}${nameOf(member)}`;
    const nested = type && ts.isTypeLiteralNode(type) ? type.members.filter(ts.isPropertySignature) : [];
    const text = nested.length > 0 ? "object" : oneLine(type?.getText() ?? "");
    return [
      { name, type: text, optional: isOptional(member), doc: docOfMember(member) },
      ...nested.flatMap((each) => this.rows(each, `${name}.`)),
    ];
  }

  /** A type as code, with links to the types of this page. */
  private type(text: string): string {
    return text
      .split(new RegExp(`\\b(${[...this.names].join("|")})\\b`))
      .map((part) => {
        if (this.names.has(part)) return `[\`${part}\`](${anchor(part)})`;
        return part.replace(/\S(?:.*\S)?/, (shown) => `\`${shown}\``);
      })
      .join("");
  }
}

/** Whether an interface is what a user gives: its optional properties have defaults. */
export const takesDefaults = (declaration: Declaration): boolean =>
  ts.isInterfaceDeclaration(declaration) &&
  (declaration.name.text.endsWith("Props") ||
    declaration.members.some((member) => docOf(member).default !== undefined));

interface Row {
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
  readonly doc: Doc;
}

const isMethod = (member: Member): member is ts.MethodDeclaration | ts.MethodSignature =>
  ts.isMethodDeclaration(member) || ts.isMethodSignature(member);

/** A heading's anchor, as GitHub makes it. */
const anchor = (name: string): string => `#${name.toLowerCase()}`;

const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim();
const firstSentence = (text: string): string =>
  escaped(/^.*?[.:](?= |$)/.exec(oneLine(text))?.[0].replace(/:$/, ".") ?? "");

/** Values are code, and sentences are text. */
const value = (text: string): string =>
  /^("[^"]*"|-?\d+|true|false)$/.test(text) ? `\`${text}\`` : escaped(oneLine(text));

/** A comment names a page by its path in the repository. */
const linkedPages = (text: string): string => text.replace(/docs\/([\w-]+\.md)/g, "[$1]($1)");

const prose = ({ text }: Doc): string[] => (text === "" ? [] : ["", linkedPages(escaped(text))]);
const examplesIn = ({ examples }: Doc): string[] => examples.flatMap((example) => ["", example]);

/** Signatures alone do not compile. Examples are fenced as `ts`, and a test compiles those. */
const code = (text: string): string[] => ["", "```typescript", text, "```"];

/** The names of types in a type. */
function namesIn(type: ts.TypeNode): string[] {
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isTypeReferenceNode(node)) names.push(node.typeName.getText());
    ts.forEachChild(node, visit);
  };
  visit(type);
  return names;
}
