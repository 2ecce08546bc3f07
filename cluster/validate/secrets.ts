import type { Draft } from "../model";
import type { Violation } from "../problem";
import { secretsIn } from "../secret-settings";

/**
 * Nearly every text of the file reaches the synthesized JSON, and with it the Terraform state. The backend's arguments
 * are checked where they are resolved.
 */
export const secretProblems = ({ file: { backend: _, ...file } }: Draft): Violation[] => secretsIn(file);
