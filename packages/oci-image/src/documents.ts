import * as z from "zod";
import { ImageError } from "./errors.ts";

/** The documents of the OCI image specification 1.1 and of Docker's schema 2, as far as they are used. */

export const digestSchema: z.ZodType<string> = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, "only sha256 digests are known");

const platformSchema = z.object({
  architecture: z.string(),
  os: z.string(),
  variant: z.string().optional(),
});

const descriptorSchema = z.object({
  mediaType: z.string().optional(),
  digest: digestSchema,
  size: z.number().int().min(0),
  annotations: z.record(z.string(), z.string()).optional(),
  platform: platformSchema.optional(),
});

const indexSchema = z.object({ manifests: z.array(descriptorSchema).max(1000) });

const manifestSchema = z.object({ config: descriptorSchema, layers: z.array(descriptorSchema).max(1000) });

const listOfStrings = z.array(z.string()).nullish();

/** Also of what is kept of it. */
export const imageConfigSchema: z.ZodType<ImageConfig> = z.object({
  ...platformSchema.shape,
  config: z
    .object({
      User: z.string().nullish(),
      Env: listOfStrings,
      Entrypoint: listOfStrings,
      Cmd: listOfStrings,
      WorkingDir: z.string().nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
      StopSignal: z.string().nullish(),
    })
    .nullish(),
  rootfs: z.object({ type: z.literal("layers"), diff_ids: z.array(digestSchema).max(1000) }),
});

const dockerArchiveSchema = z
  .array(z.object({ Config: z.string(), RepoTags: listOfStrings, Layers: z.array(z.string()).max(1000) }))
  .max(1000);

export interface Platform {
  /** Go's names: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string | undefined;
}

/** Names a blob by its content. */
export interface Descriptor {
  readonly mediaType?: string | undefined;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly platform?: Platform | undefined;
}

export interface Index {
  readonly manifests: readonly Descriptor[];
}

export interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** How the image's author wants it run. */
export interface ImageDefaults {
  readonly User?: string | null | undefined;
  readonly Env?: readonly string[] | null | undefined;
  readonly Entrypoint?: readonly string[] | null | undefined;
  readonly Cmd?: readonly string[] | null | undefined;
  readonly WorkingDir?: string | null | undefined;
  readonly Labels?: Readonly<Record<string, string>> | null | undefined;
  readonly StopSignal?: string | null | undefined;
}

export interface ImageConfig extends Platform {
  readonly config?: ImageDefaults | null | undefined;
  readonly rootfs: { readonly diff_ids: readonly string[] };
}

export interface DockerArchiveEntry {
  readonly Config: string;
  readonly RepoTags?: readonly string[] | null | undefined;
  readonly Layers: readonly string[];
}

const parseKind = parser("manifest", z.object({ manifests: z.unknown().optional() }));
export const parseIndex: Parser<Index> = parser("index", indexSchema);
export const parseDescriptor: Parser<Descriptor> = parser("descriptor", descriptorSchema);
export const parseManifest: Parser<Manifest> = parser("manifest", manifestSchema);
export const parseImageConfig: Parser<ImageConfig> = parser("configuration", imageConfigSchema);
export const parseDockerArchive: Parser<readonly DockerArchiveEntry[]> = parser("manifest.json", dockerArchiveSchema);

/** Whether a document is an index of manifests, or one of them: what it says of its type is not always there. */
export function isIndex(text: Uint8Array, where: string): boolean {
  return parseKind(text, where).manifests !== undefined;
}

/** @throws ImageError KATA_IMAGE_FORMAT */
type Parser<T> = (text: Uint8Array | string, where: string) => T;

function parser<T>(what: string, schema: z.ZodType<T>): Parser<T> {
  return (text, where) => {
    try {
      return schema.parse(JSON.parse(typeof text === "string" ? text : Buffer.from(text).toString()));
    } catch (error) {
      const reason =
        error instanceof z.ZodError ? z.prettifyError(error).replaceAll("\n", " ") : (error as Error).message;
      throw new ImageError("KATA_IMAGE_FORMAT", `${where}: not an image's ${what}: ${reason}`, { cause: error });
    }
  };
}
