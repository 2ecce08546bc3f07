import { join } from "node:path";
import { folder } from "./cluster-files";
import { isUsable } from "./setup";

test("tests can use a folder that runs programs", () => expect(isUsable(folder())).toBe(true));
test("tests cannot use a folder that does not exist", () => expect(isUsable(join(folder(), "none"))).toBe(false));
test("tests cannot use a file system that no file can be created in", () => expect(isUsable("/proc")).toBe(false));
