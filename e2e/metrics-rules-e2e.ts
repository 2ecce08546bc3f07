import { testRules } from "./metrics/rules";

describe("rules and Debian's Prometheus and Alertmanager", () =>
  testRules(() => ({ promtool: "promtool", amtool: "amtool" })));
