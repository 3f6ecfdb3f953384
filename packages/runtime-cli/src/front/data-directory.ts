import { join, resolve } from "node:path";

const DATA = "/var/lib/kata-ts";

/** Where `kata` keeps what is too large for /run: images, volumes, and bundles. `$KATA_TS_DATA`, else /var/lib/kata-ts. */
function dataDirectory(): string {
  const own = process.env.KATA_TS_DATA ?? "";
  // Processes that outlive this one, in other working directories, are given paths below it.
  return own === "" ? DATA : resolve(own);
}

export function bundlesDirectory(): string {
  return join(dataDirectory(), "bundles");
}

export function imagesDirectory(): string {
  return join(dataDirectory(), "images");
}

export function volumesDirectory(): string {
  return join(dataDirectory(), "volumes");
}
