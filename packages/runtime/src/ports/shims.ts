import { ExternalShims } from "@kata-ts/virtcontainers";
import type { Composition } from "../context.ts";

export async function makeShims({ configuration }: Composition): Promise<ExternalShims> {
  return new ExternalShims({ path: (await configuration()).shimPath });
}
