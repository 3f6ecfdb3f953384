import type { SpecMount } from "@kata-ts/agent-protocol";
import type { Options, OptionTable } from "../arguments/parse.ts";
import { UsageError } from "../arguments/parse.ts";
import { parseCapabilities } from "./capabilities.ts";
import { type AddedHost, parseAddedHost, parseHostname } from "./names.ts";
import { parseTmpfs } from "./tmpfs.ts";
import { parseVolume, type VolumeRequest } from "./volumes.ts";

/** What a container may do and see, as `run` is asked for it. */
export const CONTAINER_OPTIONS: OptionTable = {
  volume: {
    type: "string",
    short: "v",
    multiple: true,
    value: "FROM:TO[:ro]",
    about: "show it a file or directory (./x), or a volume that is kept (x)",
  },
  tmpfs: {
    type: "string",
    multiple: true,
    value: "PATH[:OPTIONS]",
    about: "a file system in memory: size=64m,mode=755",
  },
  "read-only": { type: "boolean", about: "its root file system cannot be changed" },
  "cap-add": { type: "string", multiple: true, value: "NAME", about: "a capability that it has not, or ALL" },
  "cap-drop": { type: "string", multiple: true, value: "NAME", about: "a capability that it would have, or ALL" },
  hostname: { type: "string", value: "NAME", about: "its own name; that of the container by default" },
  "add-host": { type: "string", multiple: true, value: "NAME:ADDRESS", about: "a line of its /etc/hosts" },
};

export interface ContainerRequest {
  readonly volumes: readonly VolumeRequest[];
  readonly tmpfs: readonly SpecMount[];
  readonly readonly: boolean;
  readonly capabilities: readonly string[];
  readonly hostname: string | undefined;
  readonly hosts: readonly AddedHost[];
}

/** @throws UsageError */
export function parseContainerOptions(options: Options): ContainerRequest {
  const request = {
    volumes: options.list("volume").map(parseVolume),
    tmpfs: options.list("tmpfs").map(parseTmpfs),
    readonly: options.flag("read-only"),
    capabilities: parseCapabilities(options.list("cap-add"), options.list("cap-drop")),
    hostname: parseHostname(options.text("hostname")),
    hosts: options.list("add-host").map(parseAddedHost),
  };
  refuseTwice([...request.volumes.map(placeOf), ...request.tmpfs.map(({ destination }) => destination)]);
  return request;
}

function placeOf(request: VolumeRequest): string {
  return "mount" in request ? request.mount.destination : request.destination;
}

/** One would hide the other. */
function refuseTwice(places: readonly string[]): void {
  const plain = places.map((place) => place.replace(/\/+$/, ""));
  const twice = plain.find((place, index) => plain.indexOf(place) !== index);
  if (twice !== undefined) throw new UsageError(`--volume and --tmpfs have the place ${twice} twice`);
}
