import { createHash } from "node:crypto";

/** As Terraform's sha256() and sha256sum write it: in hex. */
export const sha256 = (content: string | Buffer): string => createHash("sha256").update(content).digest("hex");
