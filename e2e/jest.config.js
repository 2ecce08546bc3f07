/** The end-to-end tests run one file after the other, since they share one test bed and two cores. */
module.exports = {
  rootDir: __dirname,
  // FULL=1 (npm run e2e:full) adds the files that take longer: every engine, every mode.
  testRegex: process.env.FULL ? "-e2e\\.ts$" : "(?<!-full)-e2e\\.ts$",
  transform: { "\\.ts$": ["@swc/jest", { jsc: { target: "es2022" } }] },
  testEnvironment: "node",
  globalSetup: "./test-bed-up.ts",
  globalTeardown: "./test-bed-down.ts",
  maxWorkers: 1,
  // On a shared machine, a fault takes minutes. A test that ended before its fault would leave the fault to the next test.
  testTimeout: process.env.FULL ? 900_000 : 300_000,
  verbose: true,
  // The failures are repeated at the end, below all output.
  reporters: [
    ["default", {}],
    ["summary", { summaryThreshold: 0 }],
  ],
  bail: false,
};
