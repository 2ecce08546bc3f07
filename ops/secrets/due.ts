import type { X509Certificate } from "node:crypto";
import type { Cluster } from "../../cluster/model";
import { certificatesIn, dayText, expiry, issuerOf, replacedCas } from "./certificate";
import type { NotTrusting } from "./delivered";
import type { SecretsFolder } from "./folder";
import { renderAll, type SecretsChange } from "./initialize";
import { type Due, reissue, whyUnusable } from "./issue";
import { addCa, rotating } from "./rotate";
import { CA, CA_KEY, type Holder, holdersOf, readCas, readPair, required } from "./sources";

/** What a renewal did. */
export interface Renewal extends SecretsChange {
  /** Agents without the newest CA. Certificates of it are issued when no agent is left. */
  readonly waiting: readonly NotTrusting[];
}

export interface RenewalOptions {
  /** Milliseconds until the expiry of what is due. */
  readonly period: number;
  /** The agents whose containers do not have a CA. */
  readonly notTrusting: (ca: X509Certificate) => Promise<readonly NotTrusting[]>;
}

/**
 * Renews what expires within a period. A CA takes two runs with a deploy after each: the first adds a CA, and the second
 * issues certificates by it, when all agents trust it. A certificate that has expired is issued at once, because no agent
 * accepts the old one anyway. So it is also the way out when everything has expired.
 */
export function renewDue(
  cluster: Cluster,
  folder: SecretsFolder,
  { period, notTrusting }: RenewalOptions,
  now = new Date(),
): Promise<Renewal> {
  const by = new Date(now.getTime() + period);
  return rotating(cluster, folder, async () => {
    const made: string[] = [];
    const before = required(folder, CA, readCas);
    const newest = before[0] as X509Certificate;
    const isCaDue = expiry(newest) < by;
    if (isCaDue) {
      if (folder.read(CA_KEY) === undefined)
        throw new Error(
          `${folder.named(CA)}: the newest CA expires on ${dayText(expiry(newest))}, and its key is not here\n  npm run secrets -- rotate ca --ca FILE, with a new one`,
        );
      made.push(await addCa(cluster, folder, {}, now));
    }
    const cas = required(folder, CA, readCas);
    const due = holdersOf(cluster).flatMap((holder) => dueOf(folder, holder, cas, { now, by }));
    const usable = due.filter(({ unusable }) => !unusable);
    // Otherwise an agent without the newest CA would reject the certificates.
    const isNew = replacedCas(cas).length > 0;
    const waiting = isNew && !isCaDue && usable.length > 0 ? await notTrusting(cas[0] as X509Certificate) : [];
    const issuable: Due[] = isCaDue || waiting.length > 0 ? due.filter(({ unusable }) => unusable) : due;
    const { made: issued, needed } = await reissue(folder, issuable, cas, {}, now);
    made.push(...issued);
    return { made, needed, waiting, removed: await renderAll(cluster, folder, made) };
  });
}

/** A holder whose certificate is renewed. */
interface DueHolder extends Due {
  /** Nobody accepts the present certificate. */
  readonly unusable: boolean;
}

function dueOf(
  folder: SecretsFolder,
  holder: Holder,
  cas: readonly X509Certificate[],
  { now, by }: { readonly now: Date; readonly by: Date },
): DueHolder[] {
  const unusable = whyUnusable(folder, holder, cas, now);
  if (unusable !== undefined) return [{ holder, unusable: true, why: unusable }];
  const chain = certificatesIn(readPair(folder, holder).cert as string);
  const issuer = issuerOf(chain, cas) as X509Certificate;
  const until = new Date(Math.min(...[...chain, issuer].map((certificate) => expiry(certificate).getTime())));
  if (until >= by) return [];
  return [{ holder, unusable: until < now, why: `the old one is usable until ${dayText(until)}` }];
}
