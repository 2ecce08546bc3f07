import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { type Binaries, consulSource } from "./binaries";
import { CONSUL_IMAGE_CHANGES, layOutBusyboxImage, layOutConsulImage } from "./consul-image";
import { CONSUL_VERSIONS } from "./world";

/** An image that the registry offers. */
export interface RegistryImage {
  /** Name and tag, as on the public registry. */
  readonly reference: string;
  /** Values of --change for `docker import`. */
  readonly changes: readonly string[];
  /** Fills an empty folder with the image's files. */
  layOut(root: string): Promise<void>;
}

/** All images that the registry offers. */
export function registryImages(binaries: Binaries): RegistryImage[] {
  const consul = [...binaries.consul].map(([version, program]) => ({
    reference: `hashicorp/consul:${version}`,
    changes: [
      ...CONSUL_IMAGE_CHANGES,
      `ENV PRODUCT_VERSION=${version}`,
      `LABEL org.opencontainers.image.version=${version}`,
    ],
    layOut: async (root: string) => layOutConsulImage(root, program, await consulSource(version)),
  }));
  // Registrator cannot be built from modules. Its stand-ins can be pulled and started, and do nothing, with any
  // arguments.
  const registrators = ["fayrus/registrator:v9.2.0", "gliderlabs/registrator:latest"].map((reference) => ({
    reference,
    changes: ["ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin", 'ENTRYPOINT ["/bin/registrator"]'],
    layOut: layOutRegistratorImage,
  }));
  return [...consul, ...registrators];
}

/** A program with registrator's name and path, which sleeps until it is stopped. */
async function layOutRegistratorImage(root: string): Promise<void> {
  await layOutBusyboxImage(root);
  fs.writeFileSync(path.join(root, "bin/registrator"), "#!/bin/sh\ntrap 'exit 0' TERM\nsleep infinity & wait\n", {
    mode: 0o755,
  });
}

/** A hash of the binaries' own keys and of the recipe, so that it changes whenever the images would. */
export function registryImagesKey(binaries: Binaries): string {
  const recipe = ["consul-image.ts", "registry-images.ts"].map((file) => fs.readFileSync(path.join(__dirname, file)));
  const programs = CONSUL_VERSIONS.map((version) => path.basename(path.dirname(binaries.consul.get(version) ?? "")));
  return createHash("sha256").update(Buffer.concat(recipe)).update(programs.join(" ")).digest("hex").slice(0, 12);
}
