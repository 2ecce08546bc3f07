const { availableParallelism } = require("node:os");

/** The unit tests: `npm test`. The end-to-end tests have their own configuration, in e2e/. */
module.exports = {
  roots: ["<rootDir>/__tests__"],
  testRegex: "-test\\.ts$",
  globalSetup: "<rootDir>/__tests__/setup.ts",
  transform: { "\\.ts$": ["@swc/jest", { jsc: { target: "es2022" } }] },
  testEnvironment: "node",
  runtime: "<rootDir>/__tests__/runtime.cjs",
  // Many tests wait for programs that they start. Meanwhile one more worker uses the core.
  maxWorkers: availableParallelism() + 1,
  testTimeout: 30_000,
};
