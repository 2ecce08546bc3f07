const { availableParallelism } = require("node:os");

/** Files of rollout/ that decide nothing. */
const ADAPTERS = ["agent-container", "ask", "consul-connection", "docker-cli", "main", "perform", "program"];

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
  // Of `npm test`, which runs with --coverage: each branch of what decides whether an agent may be stopped has a test.
  // What reaches daemons and processes is tried by the end-to-end tests.
  coverageProvider: "babel",
  coverageReporters: [["text", { skipFull: true }]],
  collectCoverageFrom: ["rollout/**/*.ts", ...ADAPTERS.map((name) => `!rollout/${name}.ts`)],
  coverageThreshold: { global: { branches: 100 } },
};
