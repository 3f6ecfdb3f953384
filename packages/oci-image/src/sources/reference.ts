import { ImageError } from "../errors.ts";

/** Where a registry keeps an image. */
export interface Reference {
  /** `registry-1.docker.io`, `localhost:5000`. */
  readonly host: string;
  /** `library/alpine`. */
  readonly repository: string;
  /** `latest`, or `sha256:…`. */
  readonly version: string;
}

const COMPONENT = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const VERSION = /^(?:[\w][\w.-]{0,127}|sha256:[0-9a-f]{64})$/;

/** As Docker reads it: `alpine` is `docker.io/library/alpine:latest`. @throws ImageError KATA_IMAGE_REFERENCE */
export function parseReference(text: string): Reference {
  const [, name = "", tag, digest] = /^([^@]*?)(?::([^:/@]+))?(?:@(.+))?$/.exec(text) ?? [];
  const [first = "", ...rest] = name.split("/");
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  const host = hasHost ? first : "docker.io";
  const path = hasHost ? rest.join("/") : name;
  const repository = host === "docker.io" && !path.includes("/") ? `library/${path}` : path;
  const version = digest ?? tag ?? "latest";
  const isHost = /^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::\d{1,5})?$/.test(host);
  if (!isHost || repository.length > 255 || !REPOSITORY.test(repository) || !VERSION.test(version)) {
    throw new ImageError("KATA_IMAGE_REFERENCE", `${JSON.stringify(text)} is no image reference`);
  }
  return { host: host === "docker.io" ? "registry-1.docker.io" : host, repository, version };
}
