import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultSpec } from "@kata-ts/virtcontainers";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Context } from "../context.ts";
import { verb } from "./restore.ts";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "kata-restore-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

it.each(["/run/kata-ts/netns/web", "/run/kata-ts/netns/../netns/web"])(
  "nothing is restored in the network that kata run has made for another container: %s",
  async (path) => {
    mkdirSync(join(directory, "rootfs"));
    const spec = defaultSpec({ args: ["sh"] });
    const namespaces = (spec.linux?.namespaces ?? []).map((each) =>
      each.type === "network" ? { ...each, path } : each,
    );
    writeFileSync(join(directory, "config.json"), JSON.stringify({ ...spec, linux: { ...spec.linux, namespaces } }));
    const saved = join(directory, "saved");
    // What it would be made through is not touched.
    const context = { root: join(directory, "root") } as Context;
    await expect(
      verb(["--bundle", directory, "--image-path", saved, "--detach", "web2"], context),
    ).rejects.toMatchObject({
      code: "KATA_UNSUPPORTED",
      message:
        "container web2 cannot be restored in the network of web: kata run has made it, and it ends with that container",
    });
    expect(readdirSync(directory).sort()).toEqual(["config.json", "rootfs"]);
  },
);
