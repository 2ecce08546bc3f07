import type { CodeOf } from "../../cluster/catalogue";
import type { AgentDescription } from "../../cluster/model";
import { type AgentLocation, type Problem, problem } from "../../cluster/problem";

/** A problem that must be solved before anything is touched. */
export interface AdoptionProblem extends Problem {
  readonly location: AgentLocation;
}

/** @param where an agent, or a location */
export const adoptionProblem = (
  where: AgentDescription | AgentLocation,
  code: CodeOf<"adoption">,
  message: string,
  hint: string,
): AdoptionProblem => {
  const location = "name" in where ? { host: where.host.name, agent: where.name } : where;
  return problem({ code, location, message, hint });
};
