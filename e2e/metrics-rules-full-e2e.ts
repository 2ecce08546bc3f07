import { testRules } from "./metrics/rules";
import { TestBed } from "./test-bed/test-bed";

describe("rules and the current Prometheus and Alertmanager", () => {
  const testBed = TestBed.standing();
  testRules(async () => ({
    promtool: await testBed.currentMonitoring("promtool"),
    amtool: await testBed.currentMonitoring("amtool"),
  }));
});
