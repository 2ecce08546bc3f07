import { expiry, timeFlaws } from "../secrets/certificate";
import { type HealthProblem, healthProblem } from "./health-problem";
import type { InspectedAgent } from "./inspected-agent";

/**
 * The problem of the certificate that an agent uses: it is not valid, or expires soon. Soon is within 30 days. For client
 * agents it is the last tenth of its life too, because their certificates are valid for three days and are renewed well
 * before that.
 */
export function certificateProblem({ agent, view }: InspectedAgent, now = new Date()): HealthProblem | undefined {
  const certificate = typeof view === "string" ? undefined : view.certificate;
  if (!certificate) return undefined;
  const [flaw] = timeFlaws(certificate, now);
  if (!flaw) return undefined;
  const left = expiry(certificate).getTime() - now.getTime();
  const life = expiry(certificate).getTime() - Date.parse(certificate.validFrom);
  if (flaw.code === "certificate-expiring" && agent.role === "client" && left > life / 10) return undefined;
  const hint =
    agent.role === "server"
      ? `npm run secrets -- rotate certificates ${agent.name}; npm run deploy`
      : `a server reissues it on request: docker logs ${agent.container}; docker restart ${agent.container}`;
  return healthProblem({
    code: flaw.code,
    host: agent.host.name,
    agent: agent.name,
    message: `its certificate ${flaw.message}`,
    hint,
  });
}
