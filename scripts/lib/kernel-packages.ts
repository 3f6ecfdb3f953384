import { existsSync } from "node:fs";
import { execa } from "execa";

/** Package of the kernel build -> a file that shows it is there. */
const SHOWN_BY: Readonly<Record<string, string>> = {
  gcc: "/usr/bin/gcc",
  make: "/usr/bin/make",
  flex: "/usr/bin/flex",
  bison: "/usr/bin/bison",
  bc: "/usr/bin/bc",
  "libelf-dev": "/usr/include/libelf.h",
  "libssl-dev": "/usr/include/openssl/ssl.h",
  "xz-utils": "/usr/bin/xz",
  "dpkg-dev": "/usr/bin/dpkg-source",
  python3: "/usr/bin/python3",
};

/** Installs what compiling the guest kernel needs. */
export async function installKernelBuildPackages(): Promise<void> {
  const missing = Object.keys(SHOWN_BY).filter((name) => !existsSync(SHOWN_BY[name] ?? ""));
  if (missing.length === 0) return;
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await execa("apt-get", ["-qq", "update"], { stdio: ["ignore", "ignore", "inherit"] });
  await execa("apt-get", ["-qq", "install", "-y", "--no-install-recommends", ...missing], {
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
}
