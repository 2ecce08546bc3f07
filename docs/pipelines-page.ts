import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PIPELINES, pipelineFiles } from "../ops/project/pipeline";

/** docs/pipelines.md, in which the block below each file's name is that file. */
export function pipelinesPage(): string {
  const page = readFileSync(join(__dirname, "pipelines.md"), "utf8");
  const files = PIPELINES.flatMap((pipeline) => Object.entries(pipelineFiles(pipeline)));
  return files.reduce((text, [name, content]) => withBlock(text, name, content), page);
}

/** The page with the content as the last block of the part that begins with the name. */
function withBlock(page: string, name: string, content: string): string {
  const language = name.endsWith(".sh") ? "sh" : "yml";
  const begin = page.indexOf(`\n\`\`\`${language}\n`, page.indexOf(`\n\`${name}\``)) + language.length + 5;
  const end = page.indexOf("```\n", begin);
  return page.slice(0, begin) + content + page.slice(end);
}
