import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as ts from "typescript";

/**
 * Reads declarations and their doc comments from the sources, as they are written there. Nothing is type-checked, so it
 * takes milliseconds, and a type is shown by the name that its author gave it.
 */
export type Declaration =
  | ts.ClassDeclaration
  | ts.InterfaceDeclaration
  | ts.TypeAliasDeclaration
  | ts.FunctionDeclaration
  | ts.VariableDeclaration;

/**
 * A property or method of a class, an interface or a constant object. A class may declare a property as a parameter of
 * its constructor.
 */
export type Member =
  | ts.PropertyDeclaration
  | ts.PropertySignature
  | ts.ParameterDeclaration
  | ts.GetAccessorDeclaration
  | ts.MethodDeclaration
  | ts.MethodSignature;

export interface Doc {
  readonly text: string;
  readonly unit?: string;
  readonly default?: string;
  readonly params: ReadonlyMap<string, string>;
  readonly throws: readonly string[];
  readonly examples: readonly string[];
}

/** What a module exports, by name. */
export function exportsOf(path: string): Map<string, Declaration> {
  const file = sourceFile(path);
  const names = file.statements.flatMap((statement) => {
    if (ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause))
      return statement.exportClause.elements.map(({ name }) => name.text);
    if (!ts.isExportDeclaration(statement) && !isExported(statement)) return [];
    const declarations = declarationsIn(statement);
    if (declarations.length > 0) return declarations.flatMap(({ name }) => name?.getText() ?? []);
    throw new Error(`the API's page has no place for this export of ${path}: ${statement.getText()}`);
  });
  return new Map(
    names.map((name) => {
      const declaration = declarationOf(name, file);
      if (!declaration) throw new Error(`${path} exports ${name}, whose declaration is not in this repository`);
      return [name, declaration];
    }),
  );
}

/** What a name stands for in a file: undefined for a declaration of another package. */
export function declarationOf(name: string, file: ts.SourceFile): Declaration | undefined {
  for (const statement of file.statements) {
    const declared = declarationsIn(statement).find((each) => each.name?.getText() === name);
    if (declared) return declared;
    const specifier = specifiersIn(statement).find((each) => each.name.text === name);
    const module = moduleOf(statement);
    if (specifier && module?.startsWith("."))
      return declarationOf((specifier.propertyName ?? specifier.name).text, sourceFile(resolved(file, module)));
  }
  return undefined;
}

/** The classes and interfaces that a declaration extends or implements. Some are of another package. */
export function heritageOf(declaration: Declaration): readonly ts.ExpressionWithTypeArguments[] {
  if (!ts.isClassDeclaration(declaration) && !ts.isInterfaceDeclaration(declaration)) return [];
  return (declaration.heritageClauses ?? []).flatMap(({ types }) => types);
}

const basesOf = (declaration: Declaration): Declaration[] =>
  heritageOf(declaration).flatMap(
    ({ expression }) => declarationOf(expression.getText(), declaration.getSourceFile()) ?? [],
  );

/**
 * The public members of a declaration, in their order. A base that is not public itself gives its members too.
 * @param isPublic whether a base is described by itself
 */
export function membersOf(declaration: Declaration, isPublic: (base: Declaration) => boolean): Member[] {
  const nodes = nodesIn(declaration);
  const own = nodes.flatMap((node) => (ts.isConstructorDeclaration(node) ? [...node.parameters] : [node]));
  const members = own.filter((node): node is Member => isMember(node) && isPublicMember(node));
  const names = new Set(members.map(nameOf));
  const inherited = basesOf(declaration)
    .filter((base) => !isPublic(base))
    .flatMap((base) => membersOf(base, isPublic).filter((member) => !names.has(nameOf(member))));
  return [...inherited, ...members];
}

function nodesIn(declaration: Declaration): readonly ts.Node[] {
  if (ts.isClassDeclaration(declaration) || ts.isInterfaceDeclaration(declaration)) return declaration.members;
  const object = ts.isVariableDeclaration(declaration) ? declaration.initializer : undefined;
  return object && ts.isObjectLiteralExpression(object) ? object.properties : [];
}

export const nameOf = (member: Member): string => member.name.getText();

/** A comment of a member, or else of the same member of what its class implements. Editors show the same. */
export function docOfMember(member: Member, owner: Declaration = ownerOf(member)): Doc {
  const doc = docOf(member);
  if (doc.text !== "") return doc;
  const [inherited] = basesOf(owner).flatMap((base) => {
    const same = membersOf(base, () => true).find((each) => nameOf(each) === nameOf(member));
    const found = same ? docOf(same) : docOfMember(member, base);
    return found.text === "" ? [] : [found];
  });
  return inherited ?? doc;
}

export function docOf(node: ts.Node): Doc {
  const comments = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const tags = ts.getJSDocTags(node).map((tag) => ({ tag, name: tag.tagName.text, text: textOf(tag.comment) }));
  const texts = (name: string) => tags.filter((tag) => tag.name === name).map(({ text }) => text);
  const params = tags.flatMap(({ tag, text }): [string, string][] =>
    ts.isJSDocParameterTag(tag) ? [[tag.name.getText(), text]] : [],
  );
  return {
    text: comments.map(({ comment }) => textOf(comment)).join("\n\n"),
    unit: texts("unit")[0],
    default: texts("default")[0],
    params: new Map(params),
    throws: texts("throws"),
    examples: texts("example"),
  };
}

const textOf = (comment: ts.JSDoc["comment"]): string => ts.getTextOfJSDocComment(comment)?.trim() ?? "";

const files = new Map<string, ts.SourceFile>();

function sourceFile(path: string): ts.SourceFile {
  const known = files.get(path);
  if (known) return known;
  const file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ES2022, true);
  files.set(path, file);
  return file;
}

const resolved = (file: ts.SourceFile, module: string): string => {
  const path = join(dirname(file.fileName), module);
  return existsSync(`${path}.ts`) ? `${path}.ts` : join(path, "index.ts");
};

const moduleOf = (statement: ts.Statement): string | undefined =>
  (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)) &&
  statement.moduleSpecifier &&
  ts.isStringLiteral(statement.moduleSpecifier)
    ? statement.moduleSpecifier.text
    : undefined;

function specifiersIn(statement: ts.Statement): readonly (ts.ImportSpecifier | ts.ExportSpecifier)[] {
  const names = ts.isImportDeclaration(statement)
    ? statement.importClause?.namedBindings
    : ts.isExportDeclaration(statement) && statement.exportClause;
  return names && (ts.isNamedImports(names) || ts.isNamedExports(names)) ? [...names.elements] : [];
}

function declarationsIn(statement: ts.Node): readonly Declaration[] {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations;
  return isDeclaration(statement) ? [statement] : [];
}

const isDeclaration = (node: ts.Node): node is Declaration =>
  ts.isVariableDeclaration(node) ||
  ts.isClassDeclaration(node) ||
  ts.isInterfaceDeclaration(node) ||
  ts.isTypeAliasDeclaration(node) ||
  ts.isFunctionDeclaration(node);

const isMember = (node: ts.Node): node is Member =>
  ts.isPropertyDeclaration(node) ||
  ts.isPropertySignature(node) ||
  ts.isGetAccessorDeclaration(node) ||
  ts.isMethodDeclaration(node) ||
  ts.isMethodSignature(node) ||
  (ts.isParameter(node) && ts.isParameterPropertyDeclaration(node, node.parent));

const modifiersOf = (node: ts.Node): readonly ts.SyntaxKind[] =>
  ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []).map(({ kind }) => kind) : [];

const isExported = (node: ts.Node): boolean => modifiersOf(node).includes(ts.SyntaxKind.ExportKeyword);

/** Whether a member is in the published declarations, and no subclass alone may use it. */
export function isPublicMember(node: ts.Node): boolean {
  const modifiers = modifiersOf(node);
  const hidden = [ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword];
  const internal = ts.getJSDocTags(node).some(({ tagName }) => tagName.text === "internal");
  return !internal && !hidden.some((kind) => modifiers.includes(kind));
}

export const isOptional = (member: Member): boolean => "questionToken" in member && member.questionToken !== undefined;
export const isStatic = (member: Member): boolean => modifiersOf(member).includes(ts.SyntaxKind.StaticKeyword);

const ownerOf = (member: Member): Declaration =>
  ts.findAncestor(member, (node): node is Declaration => isDeclaration(node)) as Declaration;
