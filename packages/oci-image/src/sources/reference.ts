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
const HOST = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/;
/** Docker takes such a name for an image's id. */
const ID = /^[0-9a-f]{64}$/;
const DOCKER_HUB: ReadonlySet<string> = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

/** As Docker reads it: `alpine` is `docker.io/library/alpine:latest`. @throws ImageError KATA_IMAGE_REFERENCE */
export function parseReference(text: string): Reference {
  const [, name = "", tag, digest] = /^([^@]*?)(?::([^:/@\]]+))?(?:@(.+))?$/.exec(text) ?? [];
  const [first = "", ...rest] = name.split("/");
  const hasHost = rest.length > 0 && (/[.:A-Z[]/.test(first) || first === "localhost");
  const host = hasHost ? first : "docker.io";
  const path = hasHost ? rest.join("/") : name;
  const isHub = DOCKER_HUB.has(host);
  const repository = isHub && !path.includes("/") ? `library/${path}` : path;
  const version = digest ?? tag ?? "latest";
  if (digest !== undefined && /^[a-z0-9]+:/.test(digest) && !digest.startsWith("sha256:")) {
    throw new ImageError("KATA_IMAGE_REFERENCE", `${JSON.stringify(text)}: only sha256 digests are known`);
  }
  const isRight = HOST.test(host) && repository.length <= 255 && REPOSITORY.test(repository) && VERSION.test(version);
  if (!isRight || (tag !== undefined && !VERSION.test(tag)) || ID.test(name)) {
    throw new ImageError("KATA_IMAGE_REFERENCE", `${JSON.stringify(text)} is no image reference`);
  }
  return { host: isHub ? "registry-1.docker.io" : host, repository, version };
}

/** As people write it: `alpine:3.20`, `localhost:5000/app:1`, `debian@sha256:…`. */
export function familiarName({ host, repository, version }: Reference): string {
  const isHub = DOCKER_HUB.has(host);
  const path = isHub ? repository.replace(/^library\//, "") : `${host}/${repository}`;
  return version.startsWith("sha256:") ? `${path}@${version}` : `${path}:${version}`;
}

/** Whether a name in an archive is the requested one, literally or as Docker reads both. */
export function isNamed(name: string, asked: string): boolean {
  if (name === asked) return true;
  const [one, other] = [referenceOr(name), referenceOr(asked)];
  if (one === undefined || other === undefined) return false;
  return one.host === other.host && one.repository === other.repository && one.version === other.version;
}

/** Undefined for what is no reference. */
export function referenceOr(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}
