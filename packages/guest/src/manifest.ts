import { matching, object, positive, type Shape, text } from "@kata-ts/linux/shape";

/** guest.json, which the build of this project writes beside the files that it describes. */
export interface Manifest {
  readonly format: 1;
  readonly kernel: FileDescription;
  readonly image: FileDescription;
  readonly versions: GuestVersions;
}

export interface FileDescription {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** What a guest was made of; its bill of materials has all of it. */
export interface GuestVersions {
  /** The release of Debian, such as `trixie`. */
  readonly suite: string;
  /** The day of Debian's index that the versions are of, as YYYY-MM-DD. */
  readonly day: string;
  /** Debian's package of the kernel, and its version. */
  readonly kernel: { readonly name: string; readonly version: string };
}

const digest: Shape<string> = matching(
  "a SHA-256 digest",
  (value): value is string => typeof value === "string" && /^[0-9a-f]{64}$/.test(value),
);
const description: Shape<FileDescription> = object<FileDescription>({ bytes: positive, sha256: digest });

export const manifestShape: Shape<Manifest> = object<Manifest>({
  format: matching("format 1", (value): value is 1 => value === 1),
  kernel: description,
  image: description,
  versions: object<GuestVersions>({
    suite: text,
    day: text,
    kernel: object<GuestVersions["kernel"]>({ name: text, version: text }),
  }),
});

/** What is read of a package.json. */
export const packageShape: Shape<{ readonly version: string }> = object<{ readonly version: string }>({
  version: text,
});
