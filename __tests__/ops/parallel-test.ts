import { parallel } from "../../ops/parallel";
import { operationsAtOnce, stacksAtOnce } from "../../ops/terraform/parallelism";

test("so many at a time and no more, and results in the items' order", async () => {
  let running = 0;
  let most = 0;
  const results = await parallel([30, 1, 20, 1, 10], 2, async (ms) => {
    most = Math.max(most, ++running);
    await new Promise((resume) => setTimeout(resume, ms));
    running--;
    return ms;
  });
  expect(results).toEqual([30, 1, 20, 1, 10]);
  expect(most).toBe(2);
});

describe("how much at once, unless told otherwise", () => {
  const stack = (hosts: number) => ({
    ...{ name: "c", folder: "", dependencies: [] },
    json: {
      provider: { docker: Array.from({ length: hosts }, () => ({})) },
      resource: {
        docker_container: Object.fromEntries(Array.from({ length: hosts }, (_, index) => [`a${index}`, {}])),
      },
    },
  });
  test("four stacks of 25 hosts, and always one", () => {
    expect(stacksAtOnce([stack(3), stack(25)])).toBe(4);
    expect(stacksAtOnce([stack(1000)])).toBe(1);
  });
  test("in a stack, two operations for each agent of the largest, and Terraform's own ten", () =>
    expect(operationsAtOnce([stack(3), stack(25)])).toBe(60));
});
