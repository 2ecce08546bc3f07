import { lockIn } from "../../../ops/terraform/running-deploys";

const error = (message: string): string => `Error: Error acquiring the state lock

Error message: ${message}
Lock Info:
  ID:        c47a87f3-08d3-3db9-ed97-605a7460da37
  Path:      states/consul/c.tfstate
  Operation: OperationTypeApply
  Who:       root@ops
  Version:   1.11.4
  Created:   2026-11-29 11:59:05.2831794 +0000 UTC
  Info:      
`;

test("a lock is known by its id, with who holds it and since when", () => {
  expect(lockIn(error("operation error S3: PutObject, api error PreconditionFailed: UnknownError"))).toEqual({
    id: "c47a87f3-08d3-3db9-ed97-605a7460da37",
    facts: ["Operation: OperationTypeApply", "Who: root@ops", "Created: 2026-11-29 11:59:05.2831794 +0000 UTC"],
  });
});

test.each([
  ["HCP Terraform", 'workspace already locked (lock ID: "acme/c")', "acme/c"],
  ["http", "HTTP remote state already locked:\nID=aeb634e7", "aeb634e7"],
])("%s has the id in its message, and does not tell who holds the lock", (_, message, id) => {
  expect(lockIn(error(message))).toEqual({ id, facts: [] });
});

test.each(["Already locked for workspace creation: default", "Workspace is already locked: default"])(
  "a lock of pg has no id, and is not told from the one that was refused: %s",
  (message) => expect(lockIn(error(message))).toEqual({ facts: [] }),
);

test("another error is no lock", () => expect(lockIn("Error: Invalid value for variable")).toBeUndefined());
