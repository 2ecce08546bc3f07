import { pageText } from "../docs/translations";

/** A page's text without its fenced blocks. */
export const withoutFences = (text: string): string => text.replace(/^ *```.*?^ *```/gms, "");

/** A heading's anchor, as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}_\- ]/gu, "")
    .replaceAll(" ", "-");

/** The anchors of a page's headings, in their order. */
export const anchorsOf = (page: string): string[] =>
  [...withoutFences(pageText(page)).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading as string));
