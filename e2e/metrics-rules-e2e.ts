import { DEBIANS } from "./metrics/monitoring";
import { testRules } from "./metrics/rules";

describe("rules and Debian's Prometheus and Alertmanager", () => testRules(() => DEBIANS));
