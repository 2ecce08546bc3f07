// Runs this project's TypeScript: `node --require ./typescript.cjs main.ts`. `npm run typecheck` checks the types.
// cdktf.json silences DEP0044: CDKTF 0.21 calls util.isArray, of which Node 22 and later warn at each synth.
const { readFileSync } = require("node:fs");
const { SourceMap } = require("node:module");
const { inspect } = require("node:util");
const { transformSync } = require("@swc/core");

const compile = (file, sourceMaps) =>
  transformSync(readFileSync(file, "utf8"), {
    filename: file,
    sourceMaps,
    swcrc: false,
    configFile: false,
    jsc: { target: "es2022", parser: { syntax: "typescript" } },
    module: { type: "commonjs" },
  });

require.extensions[".ts"] = (module, file) => module._compile(compile(file, false).code, file);

// Only the error that ends the program is mapped to TypeScript. Node's own source maps would slow down every run: Node
// reads those of all packages (50 ms of each synth), and maps each stack trace, of which CDKTF takes one for each token
// (a third of the time at 1000 hosts).
process.once("uncaughtException", (error) => {
  console.error(
    Object.keys(require.cache)
      .filter((file) => file.endsWith(".ts"))
      .reduce(inTypeScript, inspect(error)),
  );
  process.exit(1);
});

/** A stack trace, with the locations in one file mapped to its source. */
function inTypeScript(trace, file) {
  if (!trace.includes(`${file}:`)) return trace;
  const map = new SourceMap(JSON.parse(compile(file, true).map));
  const original = (location, line, column) => {
    const { originalLine, originalColumn } = map.findEntry(line - 1, column - 1);
    return originalLine === undefined ? location : `${originalLine + 1}:${originalColumn + 1}`;
  };
  return trace
    .split(`${file}:`)
    .map((text) => text.replace(/^(\d+):(\d+)/, original))
    .join(`${file}:`);
}
