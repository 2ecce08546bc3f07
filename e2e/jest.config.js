/** The live suite: one file after the other, for they share one rig and two cores. */
module.exports = {
  rootDir: __dirname,
  // FULL=1 (npm run e2e:full) adds what takes longer: every engine, every mode.
  testRegex: process.env.FULL ? "-e2e\\.ts$" : "(?<!-full)-e2e\\.ts$",
  transform: { "\\.ts$": ["@swc/jest", { jsc: { target: "es2022" } }] },
  testEnvironment: "node",
  globalSetup: "./test-bed-up.ts",
  globalTeardown: "./test-bed-down.ts",
  maxWorkers: 1,
  // What a cluster has to bear goes on for minutes where the machine is shared; a test that ends before it does would leave it to the next one.
  testTimeout: process.env.FULL ? 900_000 : 300_000,
  verbose: true,
  // What failed stands at the end, too, under whatever the tests have said.
  reporters: [
    ["default", {}],
    ["summary", { summaryThreshold: 0 }],
  ],
  bail: false,
};
