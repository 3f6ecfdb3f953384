import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import type { Candidate, GuestVersions, PackageEntry } from "@kata-ts/guest-image";
import type { Metafile } from "esbuild";
import { NODE_BINARY, packageDir, ROOT } from "./paths.ts";

/** What is installed, by where it runs. */
export interface Materials {
  readonly versions: GuestVersions;
  /** Packages of Debian that run on the host. */
  readonly hostPackages: readonly PackageEntry[];
  /** Directories of npm packages. */
  readonly npm: Readonly<Record<Place, readonly string[]>>;
  /** What runs our programs. */
  readonly runners: Readonly<Record<Place, readonly Runner[]>>;
}

/** Node, or a source package of Debian that an engine is compiled of. */
export type Runner = "node" | Candidate;

type Place = "guest" | "host";

/** Of pnpm's store: `node_modules/.pnpm/NAME@VERSION/node_modules/NAME`. */
const NPM_PACKAGE = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/;
const NODE_PACKAGE = join(NODE_BINARY, "..", "..");
const { ComponentType } = Enums;

/** The directories of the npm packages that a bundle is made of. */
export function packagesOf({ inputs }: Metafile): string[] {
  const found = Object.keys(inputs).flatMap((file) => NPM_PACKAGE.exec(file)?.[0] ?? []);
  return [...new Set(found)].map((directory) => join(ROOT, directory));
}

/** All that is installed, as a document of CycloneDX 1.6. The same parts give the same text. */
export async function billOfMaterials({ versions, hostPackages, npm, runners }: Materials): Promise<string> {
  const { kernel, packages, suite } = versions;
  const parts = new Parts();
  parts.add("guest", debian(kernel, suite, ComponentType.OperatingSystem));
  for (const entry of packages) parts.add("guest", debian(entry, suite));
  for (const entry of hostPackages) parts.add("host", debian(entry, suite));
  for (const place of ["guest", "host"] as const) {
    for (const runner of runners[place]) {
      parts.add(place, runner === "node" ? await npmComponent(NODE_PACKAGE) : debian(runner, suite));
    }
    for (const directory of npm[place]) parts.add(place, await npmComponent(directory));
  }
  const { version } = await describePackage(packageDir("runtime-cli"));
  const project = new Models.Component(ComponentType.Application, "kata-ts", { version, bomRef: "kata-ts" });
  const metadata = new Models.Metadata({ component: project });
  const bom = new Models.Bom({ metadata, components: parts.components });
  return `${serialize(bom)}\n`;
}

/** One component for each package, which says where it runs. */
class Parts {
  readonly components: Models.ComponentRepository = new Models.ComponentRepository();
  readonly #known: Map<string, { readonly component: Models.Component; readonly places: Set<Place> }> = new Map();

  add(place: Place, added: Models.Component): void {
    const url = added.purl ?? added.name;
    const { component, places } = this.#known.get(url) ?? { component: added, places: new Set() };
    this.#known.set(url, { component, places });
    this.components.add(component);
    if (places.has(place)) return;
    places.add(place);
    component.properties.add(new Models.Property(`kata-ts:runs-in:${place}`, "true"));
  }
}

/** Its serial number follows from the content. */
function serialize(bom: Models.Bom): string {
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  const options = { sortLists: true, space: 2 };
  const hex = createHash("sha256").update(serializer.serialize(bom, options)).digest("hex");
  const uuid = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)];
  bom.serialNumber = `urn:uuid:${uuid.join("-")}`;
  return serializer.serialize(bom, options);
}

function debian(entry: Candidate | PackageEntry, suite: string, type = ComponentType.Library): Models.Component {
  const { name, version } = entry;
  const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=amd64&distro=${suite}`;
  const hashes = new Models.HashDictionary("sha256" in entry ? [[Enums.HashAlgorithm["SHA-256"], entry.sha256]] : []);
  return new Models.Component(type, name, { version, purl, bomRef: purl, hashes });
}

async function npmComponent(directory: string): Promise<Models.Component> {
  const { name, version } = await describePackage(directory);
  const purl = `pkg:npm/${name.replace("@", "%40")}@${encodeURIComponent(version)}`;
  const type = directory === NODE_PACKAGE ? ComponentType.Application : ComponentType.Library;
  return new Models.Component(type, name, { version, purl, bomRef: purl });
}

async function describePackage(directory: string): Promise<{ name: string; version: string }> {
  const text = await readFile(join(directory, "package.json"), "utf8");
  return JSON.parse(text) as { name: string; version: string };
}
