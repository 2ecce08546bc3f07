/** An element as it stands in a document. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  /** Its own text and that of all in it. */
  readonly text: string;
}

const NAME = "[A-Za-z_][\\w.-]*";
const TAG = new RegExp(`^<(${NAME})((?:\\s+${NAME}="[^"<]*")*)\\s*(/?)>`);
const ATTRIBUTE = new RegExp(`(${NAME})="([^"<]*)"`, "g");
const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"' };

/**
 * Reads a document of elements, attributes and text.
 * @throws for what an XML parser would refuse
 */
export function parseXml(document: string): Element {
  let rest = document.trimEnd();
  const refuse = (why: string): never => {
    throw new Error(`${why}: ${rest.slice(0, 60)}`);
  };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those that XML 1.0 refuses
  if (/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(document)) refuse("a character that XML has not");
  const decoded = (text: string): string => {
    if (/&(?!(amp|lt|gt|quot);)/.test(text) || text.includes("]]>")) refuse(`"${text}" is not escaped`);
    return text.replace(/&(\w+);/g, (_, entity: string) => ENTITIES[entity] as string);
  };
  const element = (): Element => {
    const [whole, name, written, closed] = TAG.exec(rest) ?? refuse("no element");
    const pairs = [...(written ?? "").matchAll(ATTRIBUTE)].map(([, key, value]): [string, string] => [
      key as string,
      decoded(value as string),
    ]);
    if (new Set(pairs.map(([key]) => key)).size < pairs.length) refuse("an attribute twice");
    rest = rest.slice(whole.length);
    const children: Element[] = [];
    let text = "";
    while (!closed) {
      const words = /^[^<]*/.exec(rest)?.[0] ?? "";
      text += decoded(words);
      rest = rest.slice(words.length);
      if (rest.startsWith("</")) break;
      const child = element();
      children.push(child);
      text += child.text;
    }
    const end = `</${name}>`;
    if (!closed && !rest.startsWith(end)) refuse(`<${name}> does not end`);
    if (!closed) rest = rest.slice(end.length);
    return { name: name as string, attributes: Object.fromEntries(pairs), children, text };
  };
  const root = element();
  if (rest !== "") refuse("something behind the document");
  return root;
}

export const descendants = (element: Element): Element[] => [element, ...element.children.flatMap(descendants)];
