import { availableParallelism, totalmem } from "node:os";
import { KataError } from "@kata-ts/virtcontainers";
import type * as z from "zod/mini";
import { annotationValue } from "./annotation-value.ts";
import { isAssetHash } from "./asset-hashes.ts";
import { documentationOf } from "./option.ts";
import { type HypervisorOptions, type Options, SECTIONS } from "./options.ts";
import { isValidPath } from "./valid-path.ts";

/** Kata's prefix: `io.katacontainers.config.hypervisor.default_memory`. */
const PREFIX = "io.katacontainers.config.";

/** Kata 1.x lets a pod choose the host's file that says what pods may choose. */
const CONFIG_PATH = "io.katacontainers.config_path";

/**
 * Allowed where the configuration does not say: they can do no more than ask for a share of the host, or change the
 * sandbox's own guest.
 */
const ALWAYS: readonly string[] = [
  "hypervisor.default_memory",
  "hypervisor.default_vcpus",
  "runtime.internetworking_model",
  "runtime.sandbox_cgroup_only",
  "runtime.experimental",
];

/** Kata's annotations that are not named as their options are. */
const OTHER_NAMES: Readonly<Record<string, string>> = { default_max_vcpus: "default_maxvcpus" };

const HEADERS = { hypervisor: "hypervisor.qemu", runtime: "runtime", agent: "agent.kata" } as const;
type Section = keyof typeof HEADERS;

interface Setting {
  readonly annotation: string;
  readonly section: Section;
  readonly name: string;
  readonly text: string;
}

/**
 * The options as a sandbox's annotations change them: only those that the configuration allows, within its bounds.
 *
 * @throws KataError KATA_ANNOTATION
 */
export function withAnnotations(options: Options, annotations: Readonly<Record<string, string>>): Options {
  let changed = options;
  const settings = Object.entries(annotations).flatMap(([annotation, text]) => settingOf(annotation, text));
  for (const setting of settings) {
    const type = typeOf(setting);
    if (type === undefined) throw unknown(setting.annotation);
    checkEnabled(setting, type, options.hypervisor?.qemu ?? {});
    changed = assign(changed, setting, annotationValue(setting.annotation, type, setting.text));
  }
  checkBounds(changed, settings, options);
  return changed;
}

function settingOf(annotation: string, text: string): Setting[] {
  if (annotation === CONFIG_PATH) {
    throw new KataError(
      "KATA_ANNOTATION",
      `annotation ${annotation} is not supported: it would name a file of the host`,
      {
        hint: "give the engine another runtime with arguments `--kata-config FILE`, and choose that",
      },
    );
  }
  if (!annotation.startsWith(PREFIX) || isAssetHash(annotation)) return [];
  const [section = "", ...rest] = annotation.slice(PREFIX.length).split(".");
  const name = rest.join(".");
  if (!Object.hasOwn(HEADERS, section)) throw unknown(annotation);
  const option = Object.hasOwn(OTHER_NAMES, name) ? OTHER_NAMES[name] : name;
  return [{ annotation, section: section as Section, name: option ?? name, text }];
}

function typeOf({ section, name }: Setting): z.ZodMiniType | undefined {
  const options = SECTIONS[HEADERS[section]] ?? {};
  return Object.hasOwn(options, name) ? options[name] : undefined;
}

/** As in Kata 1.12 a pattern may match any part of a name; what names a file of the host must be listed besides. */
function checkEnabled(setting: Setting, type: z.ZodMiniType, qemu: HypervisorOptions): void {
  const { annotation, section, name, text } = setting;
  const { hostOnly = false, validPaths } = documentationOf(type) ?? {};
  if (section === "agent" && !hostOnly) return;
  const patterns = qemu.enable_annotations ?? [];
  const isEnabled = ALWAYS.includes(`${section}.${name}`) || patterns.some((pattern) => new RegExp(pattern).test(name));
  if (!isEnabled || (hostOnly && validPaths === undefined)) throw notEnabled(annotation);
  if (validPaths === undefined || isValidPath(text, listOf(qemu, validPaths))) return;
  throw new KataError("KATA_ANNOTATION", `annotation ${annotation}: ${JSON.stringify(text)} is not allowed`, {
    hint: `${validPaths} in configuration.toml lists the paths of the host that it may be set to`,
  });
}

function listOf(qemu: HypervisorOptions, name: string): readonly string[] {
  const list: unknown = (qemu as Readonly<Record<string, unknown>>)[name];
  return Array.isArray(list) ? (list as string[]) : [];
}

function assign(options: Options, { section, name }: Setting, value: unknown): Options {
  const { hypervisor, agent, runtime } = options;
  if (section === "runtime") return { ...options, runtime: { ...runtime, [name]: value } };
  if (section === "agent") return { ...options, agent: { ...agent, kata: { ...agent?.kata, [name]: value } } };
  return { ...options, hypervisor: { ...hypervisor, qemu: { ...hypervisor?.qemu, [name]: value } } };
}

/** What is asked for by annotation is compared with what the configuration, not an annotation, allows at most. */
function checkBounds(asked: Options, settings: readonly Setting[], { hypervisor }: Options): void {
  const { default_maxvcpus: vcpus = 0, default_maxmemory: memory = 0 } = hypervisor?.qemu ?? {};
  const host = availableParallelism();
  const bounds = {
    default_vcpus: vcpus === 0 ? host : vcpus,
    default_maxvcpus: host,
    default_memory: memory === 0 ? Math.floor(totalmem() / 2 ** 20) : memory,
  };
  for (const [name, most] of Object.entries(bounds)) {
    const setting = settings.find((each) => each.section === "hypervisor" && each.name === name);
    const value = asked.hypervisor?.qemu?.[name as keyof typeof bounds];
    if (setting === undefined || value === undefined || value <= most) continue;
    const message = `annotation ${setting.annotation}: ${String(value)} is more than ${String(most)}`;
    throw new KataError("KATA_ANNOTATION", message, {
      hint: "the host, and default_maxvcpus and default_maxmemory in configuration.toml, bound what may be asked for",
    });
  }
}

function notEnabled(annotation: string): KataError {
  return new KataError("KATA_ANNOTATION", `annotation ${annotation} is not enabled`, {
    hint: "enable_annotations in configuration.toml allows options by name; paths of the host need to be listed, too",
  });
}

function unknown(annotation: string): KataError {
  return new KataError("KATA_ANNOTATION", `annotation ${annotation} is not enabled: there is no such option`, {
    hint: "docs/configuration.md lists the options of each section",
  });
}
