import { testRules } from "./metrics/rules";
import { TestBed } from "./test-bed/test-bed";

describe("rules and the current Prometheus and Alertmanager", () => {
  const testBed = TestBed.standing();
  beforeAll(() => testBed.currentMonitoring());
  testRules(() => testBed.currentMonitoring());
});
