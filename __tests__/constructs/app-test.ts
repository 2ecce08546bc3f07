import { withoutReferences } from "../../constructs/app";
import { ConsulCluster } from "../../constructs/consul-cluster";
import { CASES } from "../../e2e/compatibility/cases";
import { load } from "../cluster-files";
import { synthesize } from "../synthesized";

test.each(CASES.map(({ name, text }) => [name, text]))(
  "%s is the same without a look for references between stacks",
  (_, text) => {
    const cluster = load(text);
    const texts = (then: (created: ConsulCluster) => void) =>
      synthesize((app) => then(new ConsulCluster(app, cluster))).texts;
    expect(texts(withoutReferences)).toEqual(texts(() => undefined));
  },
);
