// Runs this project's TypeScript: `node --require ./typescript.cjs main.ts`. Types are checked by `npm run typecheck`, not here.
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

// Places in TypeScript are worked out for the one error that ends the program. Node's own source maps would cost every run: it reads those of
// all packages (50 ms of each synth), and maps each stack trace, of which CDKTF takes one for each token (a third of the time at 1000 hosts).
process.once("uncaughtException", (error) => {
  console.error(
    Object.keys(require.cache)
      .filter((file) => file.endsWith(".ts"))
      .reduce(inTypeScript, inspect(error)),
  );
  process.exit(1);
});

/** A stack trace, with the places in one file as they are in its source. */
function inTypeScript(trace, file) {
  if (!trace.includes(`${file}:`)) return trace;
  const map = new SourceMap(JSON.parse(compile(file, true).map));
  const original = (place, line, column) => {
    const { originalLine, originalColumn } = map.findEntry(line - 1, column - 1);
    return originalLine === undefined ? place : `${originalLine + 1}:${originalColumn + 1}`;
  };
  return trace
    .split(`${file}:`)
    .map((text) => text.replace(/^(\d+):(\d+)/, original))
    .join(`${file}:`);
}
