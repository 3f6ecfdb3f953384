import * as z from "zod/mini";

/**
 * What config.json must look like for us to use it. Unknown properties are kept and ignored, as the specification asks.
 */
const integer: z.ZodMiniType = z.union([z.int(), z.bigint()]);
const text = z.optional(z.string());
const flag = z.optional(z.boolean());
const strings = z.array(z.string());
const id = z.int().check(z.minimum(0));
const length = z.int().check(z.minimum(0), z.maximum(65_535));

export const processSchema: z.ZodMiniType = z.looseObject({
  terminal: flag,
  consoleSize: z.nullish(z.looseObject({ height: length, width: length })),
  user: z.optional(
    z.looseObject({ uid: z._default(id, 0), gid: z._default(id, 0), additionalGids: z.optional(z.array(id)) }),
  ),
  args: z.optional(strings),
  env: z.optional(strings),
  cwd: z.string(),
  capabilities: z.nullish(
    z.looseObject({
      bounding: z.nullish(strings),
      effective: z.nullish(strings),
      inheritable: z.nullish(strings),
      permitted: z.nullish(strings),
      ambient: z.nullish(strings),
    }),
  ),
  rlimits: z.nullish(z.array(z.looseObject({ type: z.string(), hard: integer, soft: integer }))),
  noNewPrivileges: flag,
  apparmorProfile: text,
  oomScoreAdj: z.nullish(integer),
  selinuxLabel: text,
});

const mountSchema = z.looseObject({
  destination: z.string(),
  source: text,
  type: text,
  options: z.nullish(strings),
});

/** What is in it is for the guest's runtime to judge. */
export const resourcesSchema: z.ZodMiniType = z.looseObject({
  memory: z.nullish(z.looseObject({})),
  cpu: z.nullish(z.looseObject({})),
  pids: z.nullish(z.looseObject({ limit: z.nullish(integer) })),
  blockIO: z.nullish(z.looseObject({})),
  devices: z.nullish(z.array(z.looseObject({ allow: z.boolean() }))),
  unified: z.nullish(z.record(z.string(), z.string())),
});

const hooksOfOneKind = z.nullish(
  z.array(
    z.looseObject({
      path: z.string().check(z.startsWith("/", "must be an absolute path")),
      args: z.nullish(strings),
      env: z.nullish(strings),
      timeout: z.nullish(z.int().check(z.positive("must be greater than zero"))),
    }),
  ),
);

export const specSchema: z.ZodMiniType = z.looseObject({
  ociVersion: z.string(),
  process: z.optional(processSchema),
  root: z.looseObject({ path: z.string().check(z.minLength(1)), readonly: flag }),
  hostname: text,
  mounts: z.nullish(z.array(mountSchema)),
  annotations: z.nullish(z.record(z.string(), z.string())),
  hooks: z.nullish(
    z.looseObject({
      prestart: hooksOfOneKind,
      createRuntime: hooksOfOneKind,
      createContainer: hooksOfOneKind,
      startContainer: hooksOfOneKind,
      poststart: hooksOfOneKind,
      poststop: hooksOfOneKind,
    }),
  ),
  linux: z.optional(
    z.looseObject({
      namespaces: z.nullish(z.array(z.looseObject({ type: z.string(), path: text }))),
      cgroupsPath: text,
      sysctl: z.nullish(z.record(z.string(), z.string())),
      maskedPaths: z.nullish(strings),
      readonlyPaths: z.nullish(strings),
    }),
  ),
});
