type Fields = Readonly<Record<string, unknown>>;

/**
 * A record as today's release would have written it. Containers outlive an update of the runtime. What is no record of a
 * known version is returned as it is, for the shape to refuse.
 */
export function migrated(record: unknown): unknown {
  return isObject(record) && record.version === 1 ? fromVersion1(record) : record;
}

/** Version 1 names the monitor's process `qemu`. */
function fromVersion1(record: Fields): Fields {
  const { vm } = record;
  return { ...record, version: 2, ...(isObject(vm) ? { vm: namedByRole(vm) } : {}) };
}

/** The same in what the supervisor of a VM has recorded of its processes. */
export function namedByRole({ qemu, ...others }: Fields): Fields {
  return qemu === undefined ? others : { ...others, vmm: qemu };
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
