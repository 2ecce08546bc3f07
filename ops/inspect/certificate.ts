import { expiry, type Flaw, timeFlaws } from "../secrets/certificate";
import type { InspectedAgent } from "./findings";

/**
 * What is wrong, or soon will be, with the certificate that an agent uses, in a clause, and what mends it. Soon is within 30 days, or in the last tenth of its
 * life: clients are given theirs for three days, and another one long before.
 */
export function certificateFlaw(
  { agent, view }: InspectedAgent,
  now = new Date(),
): (Flaw & { readonly hint: string }) | undefined {
  const certificate = typeof view === "string" ? undefined : view.certificate;
  if (!certificate) return undefined;
  const [flaw] = timeFlaws(certificate, now);
  if (!flaw) return undefined;
  const left = expiry(certificate).getTime() - now.getTime();
  const life = expiry(certificate).getTime() - Date.parse(certificate.validFrom);
  if (flaw.severity === "warning" && left > life / 10) return undefined;
  const hint =
    agent.role === "server"
      ? `npm run secrets -- rotate leaves ${agent.name}; npm run deploy`
      : `servers give it another one when it asks: docker logs ${agent.container}; docker restart ${agent.container}`;
  return { severity: flaw.severity, what: `its certificate ${flaw.what}`, hint };
}
