/** npm packages and their versions. */
export type Packages = Readonly<Record<string, string>>;

/** A package.json, as far as CDK Terrain changes it. */
export interface CdktfManifest {
  readonly engines?: Packages;
  readonly scripts?: Packages;
  readonly dependencies?: Packages;
  readonly devDependencies?: Packages;
  readonly overrides?: Packages;
}

/** The release that `npm run test:cdktn` tries. Programs and other packages import it by the name `cdktf`. */
const REPLACED: Readonly<Record<string, readonly [name: string, version: string]>> = {
  cdktf: ["cdktf", "npm:cdktn@0.24.0"],
  // cdktn 0.24 needs 10.6, and its CLI pins this release.
  constructs: ["constructs", "10.6.0"],
  "cdktf-cli": ["cdktn-cli", "0.24.0"],
};

/** What its CLI needs. */
const NODE = ">=22.19.0";

/**
 * A project's package.json with CDK Terrain, the community's fork of CDKTF, in the place of CDKTF. The override gives it
 * to packages too whose peer is CDKTF. npm honours overrides in the root project only.
 */
export function withCdkTerrain<Manifest extends CdktfManifest>(manifest: Manifest): Manifest {
  const { engines, scripts, dependencies, devDependencies, overrides } = manifest;
  return {
    ...manifest,
    engines: { ...engines, node: NODE },
    scripts: mapped(scripts, (name, script) => [name, script.replace(/(^| )cdktf /, "$1cdktn ")]),
    dependencies: mapped(dependencies, replaced),
    devDependencies: mapped(devDependencies, replaced),
    overrides: { ...overrides, cdktf: "$cdktf" },
  };
}

const replaced = (name: string, version: string): readonly [string, string] => REPLACED[name] ?? [name, version];

const mapped = (entries: Packages = {}, change: (key: string, value: string) => readonly [string, string]): Packages =>
  Object.fromEntries(Object.entries(entries).map(([key, value]) => change(key, value)));
