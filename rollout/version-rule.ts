import { allow, deny, type Outcome } from "./outcome";

/** A version of Consul, as `consul version` prints it. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** @returns undefined when the text has none */
export function consulVersion(text: string): Version | undefined {
  const [, major, minor, patch] = /^Consul v(\d+)\.(\d+)\.(\d+)/m.exec(text) ?? [];
  return patch === undefined ? undefined : { major: Number(major), minor: Number(minor), patch: Number(patch) };
}

export const versionText = ({ major, minor, patch }: Version): string => `${major}.${minor}.${patch}`;

/** Consul supports upgrades over two minor versions at a time (developer.hashicorp.com/consul/docs/upgrade). */
const MOST_MINORS = 2;

/** The last minor version of 1.x; 2.0 came after it. */
const LAST_OF_1 = 22;

/** A number that grows by one from a minor version to the next. */
const release = ({ major, minor }: Version): number =>
  major === 1 ? minor : LAST_OF_1 + 1 + 100 * (major - 2) + minor;

/** May data that one version has written be given to another? */
export function versionRule(from: Version, to: Version): Outcome {
  const steps = release(to) - release(from);
  if (steps < 0 || (steps === 0 && to.patch < from.patch))
    return deny(
      `${versionText(to)} is older than ${versionText(from)}, which has written its data`,
      `go on with ${versionText(from)} or newer, or take the risk with CONSUL_ALLOW_DOWNGRADE=yes`,
    );
  if (from.major === 1 && to.major > 1 && from.minor < LAST_OF_1)
    return deny(
      `from ${versionText(from)} to ${versionText(to)}: Consul 2.0 follows 1.${LAST_OF_1}`,
      `first deploy the last release of 1.${LAST_OF_1}`,
    );
  if (steps > MOST_MINORS)
    return deny(
      `from ${versionText(from)} to ${versionText(to)} are ${steps} minor versions, ` +
        `and Consul supports ${MOST_MINORS} at a time`,
      "go by way of one in between",
    );
  return allow(`from ${versionText(from)} to ${versionText(to)}`);
}
