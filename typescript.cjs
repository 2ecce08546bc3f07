// Runs this project's TypeScript: `node --require ./typescript.cjs main.ts`. `npm run typecheck` checks the types.
// cdktf.json silences DEP0044: CDKTF 0.21 calls util.isArray, of which Node 22 and later warn at each synth.
const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const { SourceMap } = require("node:module");
const { join } = require("node:path");
const { inspect } = require("node:util");

const OPTIONS = {
  swcrc: false,
  configFile: false,
  jsc: { target: "es2022", parser: { syntax: "typescript" } },
  module: { type: "commonjs" },
};

/** The compiler is loaded when a file is not in the cache: that takes as long as to compile them all. */
const compile = (file, text, sourceMaps) =>
  require("@swc/core").transformSync(text, { ...OPTIONS, filename: file, sourceMaps });

// What a text compiles to depends on nothing but the text, the compiler and its options. `npm ci` removes all.
const MODULES = join(__dirname, "node_modules");
const CACHE = join(MODULES, ".cache/consul-cdktf-typescript");
const compiler = readFileSync(join(MODULES, "@swc/core/package.json"), "utf8") + JSON.stringify(OPTIONS);

function compiled(file) {
  const text = readFileSync(file, "utf8");
  const cached = join(CACHE, `${createHash("sha256").update(compiler).update(text).digest("hex")}.js`);
  try {
    return readFileSync(cached, "utf8");
  } catch {
    const { code } = compile(file, text, false);
    keep(cached, code);
    return code;
  }
}

/** Other processes see the whole file or none. Where nothing can be written, there is no cache. */
function keep(file, code) {
  const written = `${file}.${process.pid}`;
  try {
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(written, code);
    renameSync(written, file);
  } catch {}
}

require.extensions[".ts"] = (module, file) => module._compile(compiled(file), file);

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
  const map = new SourceMap(JSON.parse(compile(file, readFileSync(file, "utf8"), true).map));
  const original = (location, line, column) => {
    const { originalLine, originalColumn } = map.findEntry(line - 1, column - 1);
    return originalLine === undefined ? location : `${originalLine + 1}:${originalColumn + 1}`;
  };
  return trace
    .split(`${file}:`)
    .map((text) => text.replace(/^(\d+):(\d+)/, original))
    .join(`${file}:`);
}
