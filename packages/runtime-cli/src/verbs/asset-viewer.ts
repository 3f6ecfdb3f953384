import { openForExisting } from "@kata-ts/runtime";
import type { ContainerRecord } from "@kata-ts/virtcontainers/records";
import type { Context } from "../context.ts";
import { type AssetsView, assetsView } from "../output/assets.ts";

/** Reads the configuration, which a list without assets does not. */
export async function assetViewer(context: Context): Promise<(record: ContainerRecord) => AssetsView> {
  const { qemu } = await (await openForExisting(context)).configuration();
  return (record) => assetsView(record, qemu);
}
