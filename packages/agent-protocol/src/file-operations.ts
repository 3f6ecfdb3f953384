/**
 * What a host asks for about files of a container, as JSON in katats.v1.FileRequest. PROTOCOL.md says what each answers.
 * Paths are absolute, as the container sees them.
 */
export type FileOperation =
  | { readonly name: "stat"; readonly path: string; readonly follow: boolean }
  | ({ readonly name: "mkdir"; readonly path: string; readonly recursive: boolean } & Attributes)
  | { readonly name: "rename"; readonly path: string; readonly to: string }
  | { readonly name: "remove"; readonly path: string; readonly recursive: boolean; readonly force: boolean }
  | {
      readonly name: "list";
      readonly path: string;
      readonly maxEntries: number;
      /** Each entry comes as `stat` has it, with its name; links are not followed. */
      readonly details?: boolean | undefined;
    }
  | {
      readonly name: "read";
      readonly path: string;
      readonly offset?: number | undefined;
      readonly length?: number | undefined;
    }
  | ({
      readonly name: "write";
      readonly path: string;
      readonly append: boolean;
      readonly exclusive: boolean;
    } & Attributes)
  | { readonly name: "pack"; readonly path: string; readonly as?: string | undefined; readonly follow: boolean }
  | { readonly name: "unpack"; readonly path: string; readonly owner?: Owner | undefined }
  | { readonly name: "watch"; readonly path: string };

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

interface Attributes {
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

/** A line of JSON on the second output of an operation's stream. */
export type FileReport =
  | { readonly entries: number }
  | { readonly warning: string }
  | { readonly failure: FileFailure };

export interface FileFailure {
  /** The kernel's name for the reason, such as `ENOENT`; "" where the kernel has none. */
  readonly errno: string;
  readonly message: string;
}
