import { withCdkTerrain } from "../../../ops/project/cdk-terrain";

test("CDK Terrain takes CDKTF's place, also for packages whose peer is CDKTF; everything else stays", () =>
  expect(
    withCdkTerrain({
      name: "mine",
      engines: { node: ">=20.11", npm: ">=10" },
      scripts: { synth: "A=1 cdktf synth", diff: "consul-cdktf diff" },
      dependencies: { cdktf: "^0.21.0", constructs: "^10.4.0", "consul-cdktf": "^0.1.0" },
      devDependencies: { "cdktf-cli": "0.21.0", typescript: "5.9.3" },
      overrides: { other: "1.0.0" },
    }),
  ).toEqual({
    name: "mine",
    engines: { node: ">=22.19.0", npm: ">=10" },
    scripts: { synth: "A=1 cdktn synth", diff: "consul-cdktf diff" },
    dependencies: { cdktf: "npm:cdktn@0.24.0", constructs: "10.6.0", "consul-cdktf": "^0.1.0" },
    devDependencies: { "cdktn-cli": "0.24.0", typescript: "5.9.3" },
    overrides: { other: "1.0.0", cdktf: "$cdktf" },
  }));
