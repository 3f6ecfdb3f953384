import { describe, expect, it } from "vitest";
import { virtiofsdArgv } from "./virtiofsd.ts";

describe("virtiofsd's arguments", () => {
  it("are those of either kind, with its sandbox on", () => {
    const config = {
      path: "/usr/lib/qemu/virtiofsd",
      kind: "c",
      socket: "/v/fs.sock",
      source: "/v/shared",
      cache: "auto",
    } as const;
    expect(virtiofsdArgv(config)).toMatchInlineSnapshot(`
      [
        "--socket-path=/v/fs.sock",
        "-o",
        "source=/v/shared,cache=auto,sandbox=namespace,xattr,announce_submounts",
        "-o",
        "modcaps=-mknod",
      ]
    `);
    expect(virtiofsdArgv({ ...config, listenFd: 3 }).slice(0, 2)).toEqual(["--fd=3", "-o"]);
    expect(virtiofsdArgv({ ...config, kind: "rust", listenFd: 3 })).toMatchInlineSnapshot(`
      [
        "--fd=3",
        "--shared-dir=/v/shared",
        "--cache=auto",
        "--sandbox=namespace",
        "--posix-acl",
        "--announce-submounts",
        "--inode-file-handles=prefer",
        "--log-level=error",
        "--modcaps=-mknod",
      ]
    `);
    expect(virtiofsdArgv({ ...config, kind: "rust", cache: "none" })).toContain("--cache=never");
    expect(virtiofsdArgv({ ...config, kind: "rust", savable: true })).toContain("--inode-file-handles=never");
    const asked = virtiofsdArgv({ ...config, kind: "rust", extraArguments: ["--modcaps=+mknod"] });
    expect(asked.filter((argument) => argument.startsWith("--modcaps"))).toEqual(["--modcaps=+mknod"]);
  });

  it("end with further ones", () => {
    const config = {
      path: "/d",
      kind: "c",
      socket: "/s",
      source: "/t",
      cache: "auto",
      extraArguments: ["--thread-pool-size=1"],
    } as const;
    expect(virtiofsdArgv(config).at(-1)).toBe("--thread-pool-size=1");
  });
});
