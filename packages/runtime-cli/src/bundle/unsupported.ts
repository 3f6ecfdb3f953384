import type { RuntimeSpec, SpecProcess } from "@kata-ts/agent-protocol";

/**
 * What a config.json may ask for that cannot be had in this runtime's guest. None of it changes what the container may
 * do to others, so it is warned about and left out; docs/oci-spec.md has the whole table. Security labels are the
 * guest's to judge: it knows its own kernel.
 */
export function unsupportedFields(spec: RuntimeSpec): string[] {
  const linux = (spec.linux ?? {}) as Record<string, unknown>;
  return [
    ...(spec.process === undefined ? [] : unsupportedProcessFields(spec.process)),
    ...present(linux, "linux", {
      intelRdt: "resctrl is the host's",
      timeOffsets: "the guest's runtime makes no time namespaces",
      memoryPolicy: "the guest has one memory node",
    }),
    ...["solaris", "windows", "vm", "zos"].flatMap((name) =>
      isEmpty((spec as unknown as Record<string, unknown>)[name])
        ? []
        : [`${name} is ignored: this is a Linux runtime`],
    ),
  ];
}

export function unsupportedProcessFields(process: SpecProcess): string[] {
  return present(process as unknown as Record<string, unknown>, "process", {
    scheduler: "the guest's runtime cannot set it",
    ioPriority: "the guest's runtime cannot set it",
    execCPUAffinity: "the guest's runtime cannot set it",
  });
}

function present(object: Record<string, unknown>, path: string, reasons: Readonly<Record<string, string>>): string[] {
  return Object.entries(reasons).flatMap(([name, reason]) =>
    isEmpty(object[name]) ? [] : [`${path}.${name} is not applied: ${reason}`],
  );
}

/** Engines write empty objects for what nobody asked for. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === "object" && Object.values(value).every(isEmpty);
}
