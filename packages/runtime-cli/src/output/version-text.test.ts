import { COMMIT, OCI_VERSION, VERSION } from "@kata-ts/runtime";
import { describe, expect, it } from "vitest";
import { versionText } from "./version-text.ts";

/** As dockerd reads it: the last "version" and the last "commit:" win. */
function asDockerReads(text: string): { readonly runtime: string; readonly version: string; readonly commit: string } {
  const found = { runtime: "", version: "", commit: "" };
  for (const line of text.trim().split("\n")) {
    const parts = line.split("version");
    if (parts.length > 1) {
      found.runtime = parts[0]?.trim() ?? "";
      found.version = parts.at(-1)?.trim() ?? "";
    } else if (line.startsWith("commit:")) found.commit = line.slice("commit:".length).trim();
  }
  return found;
}

/** As containerd reads it: nothing, unless the first line begins with runc's words. */
function asContainerdReads(text: string): readonly string[] {
  const [first = "", ...others] = text.trim().split("\n");
  if (!first.startsWith("runc version ")) return [];
  const field = (name: string): string => others.findLast((line) => line.startsWith(name))?.slice(name.length) ?? "";
  return [first.slice("runc version ".length), field("commit: "), field("spec: ")];
}

describe("--version", () => {
  it("is understood by dockerd and by containerd", () => {
    expect(asDockerReads(versionText())).toEqual({ runtime: "runc", version: "1.1.5", commit: COMMIT });
    expect(asContainerdReads(versionText())).toEqual(["1.1.5", COMMIT, OCI_VERSION]);
  });

  it("tells our own version, too", () => {
    expect(versionText()).toContain(`kata-runtime  : ${VERSION}\n`);
  });
});
