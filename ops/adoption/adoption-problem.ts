import type { CodeOf } from "../../cluster/catalogue";
import type { AgentDescription } from "../../cluster/model";
import { type AgentLocation, type Problem, problem } from "../../cluster/problem";

/** A problem that must be solved before anything is touched. */
export interface AdoptionProblem extends Problem {
  readonly location: AgentLocation;
}

export const adoptionProblem = (
  { name, host }: AgentDescription,
  code: CodeOf<"adoption">,
  message: string,
  hint: string,
): AdoptionProblem => problem({ code, location: { host: host.name, agent: name }, message, hint });
