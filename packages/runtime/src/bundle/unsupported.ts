import type { RuntimeSpec } from "@kata-ts/agent-protocol";

const NO_TIME_NAMESPACES = "the guest's runtime fails to set their clocks";

/**
 * What a config.json may ask for that cannot be had in this runtime's guest. None of it changes what the container may
 * do to others, so it is warned about and left out; docs/oci-spec.md has the whole table. Security labels and
 * schedulers are the guest's to judge: it knows its own kernel and runtime.
 */
export function unsupportedFields(spec: RuntimeSpec): string[] {
  const linux = (spec.linux ?? {}) as Record<string, unknown>;
  const timeNamespace = spec.linux?.namespaces?.some(({ type }) => type === "time") === true;
  return [
    ...(timeNamespace ? [`linux.namespaces: one of time is not made: ${NO_TIME_NAMESPACES}`] : []),
    ...present(linux, "linux", {
      intelRdt: "resctrl is the host's",
      timeOffsets: NO_TIME_NAMESPACES,
      memoryPolicy: "the guest has one memory node",
    }),
    ...["solaris", "windows", "vm", "zos"].flatMap((name) =>
      isEmpty((spec as unknown as Record<string, unknown>)[name])
        ? []
        : [`${name} is ignored: this is a Linux runtime`],
    ),
  ];
}

function present(object: Record<string, unknown>, path: string, reasons: Readonly<Record<string, string>>): string[] {
  return Object.entries(reasons).flatMap(([name, reason]) =>
    isEmpty(object[name]) ? [] : [`${path}.${name} is not applied: ${reason}`],
  );
}

/** Engines write empty objects for fields that the user did not set. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === "object" && Object.values(value).every(isEmpty);
}
