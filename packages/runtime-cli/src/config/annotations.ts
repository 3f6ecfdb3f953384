import { availableParallelism, totalmem } from "node:os";
import { KataError } from "@kata-ts/virtcontainers";
import * as z from "zod/mini";
import { documentationOf } from "./option.ts";
import { type Options, SECTIONS } from "./options.ts";

/** Kata's prefix: `io.katacontainers.config.hypervisor.default_memory`. */
const PREFIX = "io.katacontainers.config.";

/** Allowed where the configuration does not say: they can do no more than ask for a share of the host. */
const ALWAYS: readonly string[] = [
  "hypervisor.default_memory",
  "hypervisor.default_vcpus",
  "runtime.internetworking_model",
];

type Section = "hypervisor" | "runtime";

/**
 * The options as a sandbox's annotations change them: only those that the configuration allows, within its bounds.
 *
 * @throws KataError KATA_ANNOTATION
 */
export function withAnnotations(options: Options, annotations: Readonly<Record<string, string>>): Options {
  let changed = options;
  for (const [annotation, text] of Object.entries(annotations)) {
    if (!annotation.startsWith(PREFIX)) continue;
    const [section, name = "", ...more] = annotation.slice(PREFIX.length).split(".");
    const isKnown = (section === "hypervisor" || section === "runtime") && more.length === 0;
    if (!isKnown || !isEnabled(section, name, options)) throw notEnabled(annotation);
    changed = assign(changed, { section, name, value: parseValue(annotation, section, name, text) });
  }
  checkBounds(changed, annotations, options);
  return changed;
}

function isEnabled(section: Section, name: string, { hypervisor }: Options): boolean {
  const type = typeOf(section, name);
  // A list of who may ask is not theirs to change, nor are programs and files of the host.
  if (type === undefined || name === "enable_annotations" || documentationOf(type)?.isPath === true) return false;
  if (ALWAYS.includes(`${section}.${name}`)) return true;
  const patterns = hypervisor?.qemu?.enable_annotations ?? [];
  return patterns.some((pattern) => new RegExp(`^(?:${pattern})$`).test(name));
}

function typeOf(section: Section, name: string): z.ZodMiniType | undefined {
  const options = SECTIONS[section === "hypervisor" ? "hypervisor.qemu" : section] ?? {};
  return Object.hasOwn(options, name) ? options[name] : undefined;
}

/** Annotations are text: what their option takes is found by trying. */
function parseValue(annotation: string, section: Section, name: string, text: string): unknown {
  const candidates: unknown[] = [text];
  if (/^\d{1,15}$/.test(text)) candidates.push(Number(text));
  if (text === "true" || text === "false") candidates.push(text === "true");
  const type = typeOf(section, name) ?? z.never();
  const value = candidates.map((candidate) => type.safeParse(candidate)).find(({ success }) => success);
  if (value?.success === true) return value.data;
  throw new KataError("KATA_ANNOTATION", `annotation ${annotation}: ${JSON.stringify(text)} is no value for it`, {
    hint: "docs/configuration.md describes each option",
  });
}

function assign(
  options: Options,
  { section, name, value }: { readonly section: Section; readonly name: string; readonly value: unknown },
): Options {
  if (section === "runtime") return { ...options, runtime: { ...options.runtime, [name]: value } };
  const { hypervisor } = options;
  return { ...options, hypervisor: { ...hypervisor, qemu: { ...hypervisor?.qemu, [name]: value } } };
}

/** What is asked for by annotation is compared with what the configuration, not an annotation, allows at most. */
function checkBounds(asked: Options, annotations: Readonly<Record<string, string>>, { hypervisor }: Options): void {
  const { default_maxvcpus: vcpus = 0, default_maxmemory: memory = 0 } = hypervisor?.qemu ?? {};
  const bounds = {
    default_vcpus: vcpus === 0 ? availableParallelism() : vcpus,
    default_memory: memory === 0 ? Math.floor(totalmem() / 2 ** 20) : memory,
  };
  for (const [name, most] of Object.entries(bounds)) {
    const annotation = `${PREFIX}hypervisor.${name}`;
    const value = asked.hypervisor?.qemu?.[name as keyof typeof bounds];
    if (!Object.hasOwn(annotations, annotation) || value === undefined || value <= most) continue;
    throw new KataError("KATA_ANNOTATION", `annotation ${annotation}: ${String(value)} is more than ${String(most)}`, {
      hint: "default_maxvcpus and default_maxmemory in configuration.toml bound what may be asked for",
    });
  }
}

function notEnabled(annotation: string): KataError {
  return new KataError("KATA_ANNOTATION", `annotation ${annotation} is not enabled`, {
    hint: "enable_annotations in configuration.toml allows options by name; paths of the host are never allowed",
  });
}
