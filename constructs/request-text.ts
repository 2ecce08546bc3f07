import { requestJson } from "../consul/request-json";
import { REQUEST_VERSION, type StepRequest } from "../rollout/request";
import { escaped } from "./escape";
import { OWN_CONTAINER, OWN_NODE } from "./pre-stop";

/** A request as JSON for Terraform, which puts in the names of the container that is stopped. */
export function requestText(request: StepRequest): string {
  return requestJson({ version: REQUEST_VERSION, ...request })
    .replace(JSON.stringify(OWN_CONTAINER), () => CONTAINER_AS_JSON)
    .replace(JSON.stringify(OWN_NODE), () => NODE_AS_JSON);
}

const asJson = (expression: string): string => `\${jsonencode(${expression.slice(2, -1)})}`;
const CONTAINER_AS_JSON = asJson(OWN_CONTAINER);
const NODE_AS_JSON = asJson(OWN_NODE);

/** A request's text with the names of the container that is stopped, in which characters are still escaped. */
export const namedRequest = (text: string, { container, node }: { container: string; node: string }): string =>
  text
    .replace(`:${CONTAINER_AS_JSON}`, () => `:${escaped(JSON.stringify(container))}`)
    .replace(`:${NODE_AS_JSON}`, () => `:${escaped(JSON.stringify(node))}`);
