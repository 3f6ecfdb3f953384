import type { grpc } from "@kata-ts/agent-protocol";
import { CheckError, checked } from "@kata-ts/runtime";
import { type GuestInterface, type GuestRoute, KataError } from "@kata-ts/virtcontainers";
import * as z from "zod/mini";

// Kata's JSON is that of its Go types: their field names, and null for an empty list.
const text = z.optional(z.string());
const unsigned = z.optional(z.int().check(z.minimum(0)));

const interfaceSchema = z.object({
  Device: text,
  Name: text,
  IPAddresses: z.nullish(z.array(z.object({ Family: z.optional(z.number()), Address: z.string(), Mask: z.string() }))),
  Mtu: unsigned,
  RawFlags: unsigned,
  HwAddr: text,
  PciPath: text,
  LinkType: text,
});

const routesSchema = z.array(
  z.object({
    Dest: text,
    Gateway: text,
    Device: z.string(),
    Source: text,
    Scope: z.optional(z.int().check(z.minimum(0), z.maximum(255))),
    // Ours: left out where there is none.
    Metric: unsigned,
    Flags: unsigned,
    Attributes: z.optional(z.array(z.string())),
  }),
);

/** @throws KataError KATA_CONFIG */
export function parseInterface(value: unknown): GuestInterface {
  const given = parseWith(interfaceSchema, value);
  return {
    device: given.Device ?? "",
    name: given.Name ?? "",
    hwAddr: given.HwAddr ?? "",
    mtu: given.Mtu ?? 0,
    ...(given.RawFlags === undefined ? {} : { raw_flags: given.RawFlags }),
    IPAddresses: (given.IPAddresses ?? []).map(({ Address, Mask }) => ({
      family: Address.includes(":") ? 1 : 0,
      address: Address,
      mask: Mask,
    })),
  };
}

/** @throws KataError KATA_CONFIG */
export function parseRoutes(value: unknown): GuestRoute[] {
  return parseWith(routesSchema, value).map(({ Device, ...given }) => ({
    dest: given.Dest ?? "",
    gateway: given.Gateway ?? "",
    device: Device,
    source: given.Source ?? "",
    scope: given.Scope ?? 0,
    metric: given.Metric ?? 0,
    flags: given.Flags ?? 0,
    attributes: given.Attributes ?? [],
  }));
}

export function interfaceView({ Interfaces }: grpc.Interfaces): object[] {
  return Interfaces.map((item) => ({
    Device: item.device,
    Name: item.name,
    IPAddresses: (item.IPAddresses ?? []).map(({ family, address, mask }) => ({
      Family: family ?? 0,
      Address: address,
      Mask: mask,
    })),
    Mtu: Number(item.mtu ?? 0),
    RawFlags: item.raw_flags ?? 0,
    HwAddr: item.hwAddr,
    PciPath: item.pciPath ?? "",
    LinkType: item.type ?? "",
  }));
}

export function routeView({ Routes }: grpc.Routes): object[] {
  return Routes.map(({ dest, gateway, device, source, scope, metric, flags, attributes = [] }) => ({
    Dest: dest,
    Gateway: gateway,
    Device: device,
    Source: source,
    Scope: scope ?? 0,
    ...((metric ?? 0) === 0 ? {} : { Metric: metric }),
    ...((flags ?? 0) === 0 ? {} : { Flags: flags }),
    ...((attributes ?? []).length === 0 ? {} : { Attributes: attributes }),
  }));
}

function parseWith<T>(schema: z.ZodMiniType<T>, value: unknown): T {
  try {
    return checked(schema, value);
  } catch (error) {
    if (!(error instanceof CheckError)) throw error;
    const [issue] = error.issues;
    throw new KataError("KATA_CONFIG", `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not understood"}`);
  }
}
