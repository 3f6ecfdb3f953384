import * as z from "zod";

/**
 * What config.json must look like for us to use it. Unknown properties are kept and ignored, as the specification asks.
 */
const integer: z.ZodType = z.union([z.number().int(), z.bigint()]);
const strings = z.array(z.string());

export const processSchema: z.ZodType = z.looseObject({
  terminal: z.boolean().optional(),
  consoleSize: z
    .looseObject({ height: z.number().int().min(0).max(65_535), width: z.number().int().min(0).max(65_535) })
    .nullish(),
  user: z
    .looseObject({
      uid: z.number().int().min(0).default(0),
      gid: z.number().int().min(0).default(0),
      additionalGids: z.array(z.number().int().min(0)).optional(),
    })
    .optional(),
  args: strings.optional(),
  env: strings.optional(),
  cwd: z.string(),
  capabilities: z
    .looseObject({
      bounding: strings.nullish(),
      effective: strings.nullish(),
      inheritable: strings.nullish(),
      permitted: strings.nullish(),
      ambient: strings.nullish(),
    })
    .nullish(),
  rlimits: z.array(z.looseObject({ type: z.string(), hard: integer, soft: integer })).nullish(),
  noNewPrivileges: z.boolean().optional(),
  apparmorProfile: z.string().optional(),
  oomScoreAdj: integer.nullish(),
  selinuxLabel: z.string().optional(),
});

const mountSchema = z.looseObject({
  destination: z.string(),
  source: z.string().optional(),
  type: z.string().optional(),
  options: strings.nullish(),
});

/** What is in it is for the guest's runtime to judge. */
export const resourcesSchema: z.ZodType = z.looseObject({
  memory: z.looseObject({}).nullish(),
  cpu: z.looseObject({}).nullish(),
  pids: z.looseObject({ limit: integer.nullish() }).nullish(),
  blockIO: z.looseObject({}).nullish(),
  devices: z.array(z.looseObject({ allow: z.boolean() })).nullish(),
  unified: z.record(z.string(), z.string()).nullish(),
});

const hooksOfOneKind = z
  .array(
    z.looseObject({
      path: z.string().startsWith("/", "must be an absolute path"),
      args: strings.nullish(),
      env: strings.nullish(),
      timeout: z.number().int().positive("must be greater than zero").nullish(),
    }),
  )
  .nullish();

export const specSchema: z.ZodType = z.looseObject({
  ociVersion: z.string(),
  process: processSchema.optional(),
  root: z.looseObject({ path: z.string().min(1), readonly: z.boolean().optional() }),
  hostname: z.string().optional(),
  mounts: z.array(mountSchema).nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
  hooks: z
    .looseObject({
      prestart: hooksOfOneKind,
      createRuntime: hooksOfOneKind,
      createContainer: hooksOfOneKind,
      startContainer: hooksOfOneKind,
      poststart: hooksOfOneKind,
      poststop: hooksOfOneKind,
    })
    .nullish(),
  linux: z
    .looseObject({
      namespaces: z.array(z.looseObject({ type: z.string(), path: z.string().optional() })).nullish(),
      cgroupsPath: z.string().optional(),
      sysctl: z.record(z.string(), z.string()).nullish(),
      maskedPaths: strings.nullish(),
      readonlyPaths: strings.nullish(),
    })
    .optional(),
});
