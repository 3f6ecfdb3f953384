import type { grpc } from "@kata-ts/agent-protocol";
import { type GuestInterface, type GuestRoute, KataError } from "@kata-ts/virtcontainers";
import * as z from "zod";

// Kata's JSON is that of its Go types: their field names, and null for an empty list.
const interfaceSchema = z.object({
  Device: z.string().optional(),
  Name: z.string().optional(),
  IPAddresses: z.array(z.object({ Family: z.number().optional(), Address: z.string(), Mask: z.string() })).nullish(),
  Mtu: z.number().int().min(0).optional(),
  RawFlags: z.number().int().min(0).optional(),
  HwAddr: z.string().optional(),
  PciPath: z.string().optional(),
  LinkType: z.string().optional(),
});

const routesSchema = z.array(
  z.object({
    Dest: z.string().optional(),
    Gateway: z.string().optional(),
    Device: z.string(),
    Source: z.string().optional(),
    Scope: z.number().int().min(0).max(255).optional(),
  }),
);

/** @throws KataError KATA_CONFIG */
export function parseInterface(value: unknown): GuestInterface {
  const given = checked(interfaceSchema, value);
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
  return checked(routesSchema, value).map(({ Dest = "", Gateway = "", Device, Source = "", Scope = 0 }) => ({
    dest: Dest,
    gateway: Gateway,
    device: Device,
    source: Source,
    scope: Scope,
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
  return Routes.map(({ dest, gateway, device, source, scope }) => ({
    Dest: dest,
    Gateway: gateway,
    Device: device,
    Source: source,
    Scope: scope ?? 0,
  }));
}

function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new KataError("KATA_CONFIG", `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not understood"}`);
}
