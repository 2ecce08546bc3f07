const { default: Runtime } = require("jest-runtime");

/**
 * Packages that are loaded once for all test files of a process. Jest would load their 560 modules again for each file.
 * @peculiar/x509 is not among them: it compares classes of buffers, of which each test file has its own.
 */
const PACKAGES = /^(cdktf|constructs|@cdktf\/provider-docker|typescript|yaml|zod)(\/|$)/;

// CDKTF's graceful-fs replaces process.cwd and process.chdir. A test file gets a copy of them, which must be the replaced ones.
require("cdktf");
// CDKTF takes a complete stack trace for each token, and prints it only when a token cannot be resolved. Jest maps each
// trace to TypeScript, which was half of the time of a test that synthesizes.
require("cdktf/lib/tokens/private/stack-trace").captureStackTrace = () => [];

/**
 * What jest-circus keeps the running test in. Node's own makes each promise slower, a tenth of the tests' time, to tell
 * apart tests that run at the same time: none do here.
 */
class InTurn {
  run(store, callback) {
    const { store: before } = this;
    const over = () => {
      this.store = before;
    };
    this.store = store;
    const result = callback();
    if (typeof result?.finally === "function") return result.finally(over);
    over();
    return result;
  }

  getStore() {
    return this.store;
  }
}

module.exports = class extends Runtime {
  requireInternalModule(from, name) {
    const found = super.requireInternalModule(from, name);
    return name === "node:async_hooks" ? { ...found, AsyncLocalStorage: InTurn } : found;
  }

  requireModuleOrMock(from, name) {
    return PACKAGES.test(name) ? require(name) : super.requireModuleOrMock(from, name);
  }
};
