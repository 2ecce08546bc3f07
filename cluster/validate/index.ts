import type { Draft } from "../model";
import type { Violation } from "../problem";
import { stackNames } from "../resolve/stacks";
import { backendProblems } from "../resolve/state-backend";
import { backupsProblems } from "./backups";
import { consulSettingsProblems } from "./consul-settings";
import { daemonProblems } from "./daemons";
import { definitionProblems } from "./definitions";
import { dnsProblems } from "./dns";
import { exposureProblems } from "./exposure";
import { imageProblems } from "./images";
import { listenerProblems } from "./listeners";
import { metricsProblems } from "./metrics";
import { nameProblems } from "./names";
import { networkProblems } from "./network";
import { quorumProblems } from "./quorum";
import { registratorProblems } from "./registrator";
import { secretProblems } from "./secrets";
import { securityProblems } from "./security";
import { serviceProblems } from "./services";

/** The rules that concern more than one key. */
export function validate(draft: Draft): Violation[] {
  return [
    ...quorumProblems(draft),
    ...nameProblems(draft),
    ...networkProblems(draft),
    ...dnsProblems(draft),
    ...consulSettingsProblems(draft),
    ...imageProblems(draft),
    ...listenerProblems(draft),
    ...serviceProblems(draft),
    ...definitionProblems(draft),
    ...secretProblems(draft),
    ...daemonProblems(draft),
    ...exposureProblems(draft),
    ...securityProblems(draft),
    ...registratorProblems(draft),
    ...backupsProblems(draft),
    ...metricsProblems(draft),
    ...backendProblems(draft.file.backend, stackNames(draft.file.name, draft.hosts)),
  ];
}
