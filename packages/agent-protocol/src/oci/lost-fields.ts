import { type FieldKind, type MessageFields, processFields, specFields } from "./fields.ts";
import type { RuntimeSpec, SpecProcess } from "./runtime-spec.ts";

type Values = Readonly<Record<string, unknown>>;

/** The fields of a config.json that oci.proto has no place for, by dotted names: an agent of the 1.x contract never sees them. */
export function lostInSpec(spec: RuntimeSpec): string[] {
  return findLost(specFields, spec as unknown as Values, "");
}

export function lostInProcess(process: SpecProcess): string[] {
  return findLost(processFields, process as unknown as Values, "process.");
}

function findLost(fields: MessageFields, values: Values, prefix: string): string[] {
  const kinds = new Map(fields.map(([, name, kind]) => [name, kind]));
  const names = Object.entries(values).flatMap(([name, value]) => {
    if (isEmpty(value)) return [];
    const kind = kinds.get(name);
    return kind === undefined ? [`${prefix}${name}`] : below(kind, value, `${prefix}${name}.`);
  });
  return [...new Set(names)];
}

function below(kind: FieldKind, value: unknown, prefix: string): string[] {
  if (typeof kind === "string") return [];
  const [first] = kind;
  const isList = Array.isArray(first) && Array.isArray(first[0]);
  const fields = (isList ? first : kind) as MessageFields;
  const items = (Array.isArray(value) ? value : [value]) as Values[];
  return items.flatMap((item) => findLost(fields, item, prefix));
}

/** Engines write empty values for what they do not ask for. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "" || value === 0) return true;
  return typeof value === "object" && Object.values(value).every(isEmpty);
}
