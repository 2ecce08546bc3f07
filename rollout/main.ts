import { SYSTEM_CLOCK } from "./clock";
import { dockerEnvironment } from "./environment";
import { told } from "./outcome";
import { perform } from "./perform";
import { REQUEST_VARIABLE, REQUEST_VERSION, type RolloutRequest } from "./request";
import { consentIn } from "./stop-check";

/** How often the program looks whether Terraform is still there, in milliseconds. */
const LOOK_MS = 100;

/**
 * The program that a provisioner runs: it reads a request from its environment, and its exit code tells Terraform
 * whether to go on.
 */
async function main(): Promise<void> {
  endWithTerraform();
  const request = readRequest(process.env[REQUEST_VARIABLE]);
  const outcome = await perform(request, {
    clock: SYSTEM_CLOCK,
    env: dockerEnvironment(process.env),
    folder: process.cwd(),
    terraform: { pid: process.ppid, env: process.env },
    consent: consentIn(process.env),
    log: (line) => console.log(line),
  });
  if (outcome.kind === "allow") console.log(told(outcome));
  else fail(told(outcome));
}

/**
 * Nobody waits for the answer when Terraform has been killed: the program must not acquire anything then. A signal
 * cannot be relied on, because Terraform ends it by SIGKILL itself.
 */
function endWithTerraform(): void {
  const terraform = process.ppid;
  setInterval(() => {
    if (process.ppid !== terraform) fail("Terraform has ended");
  }, LOOK_MS).unref();
}

/** @throws Error for a request that this program does not understand */
function readRequest(text: string | undefined): RolloutRequest {
  if (text === undefined) throw new Error(`${REQUEST_VARIABLE} is not set: this program is run by Terraform`);
  const request: RolloutRequest = JSON.parse(text);
  if (request.version !== REQUEST_VERSION)
    throw new Error(
      `the synthesized JSON makes requests of version ${request.version}, and rollout.cjs beside it understands ` +
        `version ${REQUEST_VERSION}; synthesize again`,
    );
  return request;
}

function fail(reason: string): never {
  console.error(reason);
  process.exit(1);
}

main().then(
  () => process.exit(0),
  (error) => fail(error instanceof Error ? error.message : String(error)),
);
