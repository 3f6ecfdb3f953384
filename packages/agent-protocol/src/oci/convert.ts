import Long from "long";
import type { grpc } from "#gen/agent";
import { type FieldKind, type MessageFields, processFields, resourcesFields, specFields } from "./fields.ts";
import type { Int64, RuntimeSpec, SpecProcess, SpecResources } from "./runtime-spec.ts";

type Values = Record<string, unknown>;

/** config.json to the message of CreateContainer. Fields that oci.proto lacks are not in RuntimeSpec. */
export function specToMessage(spec: RuntimeSpec): grpc.Spec.$Properties {
  return toMessage(specFields, spec as unknown as Values);
}

/** The message of CreateContainer back to config.json. Zero and empty stand for absent, as proto3 has it. */
export function specFromMessage(message: grpc.Spec.$Properties): RuntimeSpec {
  return fromMessage(specFields, message as Values) as unknown as RuntimeSpec;
}

export function processToMessage(process: SpecProcess): grpc.Process.$Properties {
  return toMessage(processFields, process as unknown as Values);
}

export function processFromMessage(message: grpc.Process.$Properties): SpecProcess {
  return fromMessage(processFields, message as Values) as unknown as SpecProcess;
}

export function resourcesToMessage(resources: SpecResources): grpc.LinuxResources.$Properties {
  return toMessage(resourcesFields, resources as unknown as Values);
}

export function resourcesFromMessage(message: grpc.LinuxResources.$Properties): SpecResources {
  return fromMessage(resourcesFields, message as Values);
}

function toMessage(fields: MessageFields, json: Values): Values {
  const message: Values = {};
  for (const [messageName, jsonName, kind] of fields) {
    const value = json[jsonName];
    if (value === undefined || value === null) {
      if (kind === "deviceNumber") message[messageName] = Long.NEG_ONE;
    } else {
      message[messageName] = valueToMessage(kind, value);
    }
  }
  return message;
}

function valueToMessage(kind: FieldKind, value: unknown): unknown {
  switch (kind) {
    case "int64":
    case "requiredInt64":
    case "deviceNumber":
      return Long.fromString(String(value));
    case "uint64":
    case "requiredUint64":
      return Long.fromString(String(value), true);
    case "map":
      return { ...(value as Values) };
    case "list":
    case "requiredList":
      return [...(value as unknown[])];
    case "scalar":
    case "required":
      return value;
    default:
      return isListOf(kind)
        ? (value as Values[]).map((item) => toMessage(kind[0], item))
        : toMessage(kind, value as Values);
  }
}

function fromMessage(fields: MessageFields, message: Values): Values {
  const json: Values = {};
  for (const [messageName, jsonName, kind] of fields) {
    const value = valueFromMessage(kind, message[messageName]);
    if (value !== undefined) json[jsonName] = value;
  }
  return json;
}

function valueFromMessage(kind: FieldKind, value: unknown): unknown {
  switch (kind) {
    case "required":
      return value;
    case "requiredList":
      return [...(value as unknown[])];
    case "requiredInt64":
    case "requiredUint64":
      return integerFromLong(value);
    case "int64":
    case "uint64": {
      const integer = integerFromLong(value);
      return integer === 0 ? undefined : integer;
    }
    case "deviceNumber": {
      const integer = integerFromLong(value);
      return integer === -1 ? undefined : integer;
    }
    case "scalar":
      return value === 0 || value === "" || value === false || value === null ? undefined : value;
    case "list":
      return (value as unknown[]).length === 0 ? undefined : [...(value as unknown[])];
    case "map":
      return Object.keys(value as Values).length === 0 ? undefined : { ...(value as Values) };
    default:
      return messageFromMessage(kind, value);
  }
}

function messageFromMessage(kind: MessageFields | readonly [MessageFields], value: unknown): unknown {
  if (isListOf(kind)) {
    const items = value as Values[];
    return items.length === 0 ? undefined : items.map((item) => fromMessage(kind[0], item));
  }
  return value === undefined || value === null ? undefined : fromMessage(kind, value as Values);
}

// A list of messages is written [fields], and fields are themselves tuples of three.
function isListOf(kind: MessageFields | readonly [MessageFields]): kind is readonly [MessageFields] {
  return kind.length === 1 && Array.isArray(kind[0]) && Array.isArray(kind[0][0]);
}

function integerFromLong(value: unknown): Int64 {
  if (Long.isLong(value)) {
    const number = value.toNumber();
    return Number.isSafeInteger(number) ? number : BigInt(value.toString());
  }
  return Number(value);
}
