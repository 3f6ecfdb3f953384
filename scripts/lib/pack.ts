import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { guestPackageIsBuilt } from "./guest-package.ts";
import { NODE_BINARY, ROOT } from "./paths.ts";

const PNPM = join(ROOT, "tools", "pnpm", "node_modules", "pnpm", "bin", "pnpm.mjs");

/** A package that is published. */
export interface Published {
  readonly name: string;
  readonly directory: string;
}

export function publishedPackages(): Published[] {
  return globSync("packages/*/package.json", { cwd: ROOT })
    .sort()
    .flatMap((file) => {
      const manifest = JSON.parse(readFileSync(join(ROOT, file), "utf8")) as { name: string; private?: boolean };
      return manifest.private === true ? [] : [{ name: manifest.name, directory: join(ROOT, dirname(file)) }];
    });
}

/** Packs every package as it would be published, into an emptied directory. The guest has to be built. @returns the tarballs */
export async function packAll(directory: string): Promise<string[]> {
  if (!guestPackageIsBuilt()) throw new Error("packages/guest-linux-x64 has no files yet: npm run pack builds them");
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const { directory: cwd } of publishedPackages()) {
    // pnpm adds the licence of the repository by itself, and nothing else.
    const policy = join(cwd, "SECURITY.md");
    writeFileSync(policy, securityPolicy());
    try {
      await execa(NODE_BINARY, [PNPM, "pack", "--pack-destination", directory], { cwd });
    } finally {
      rmSync(policy);
    }
  }
  return globSync("*.tgz", { cwd: directory })
    .sort()
    .map((name) => join(directory, name));
}

/** That of the repository, whose links lead to files that a package has not. */
function securityPolicy(): string {
  const text = readFileSync(join(ROOT, "SECURITY.md"), "utf8");
  return text.replaceAll(/\[([^\]]+)\]\((docs\/[^)]+)\)/g, (_link, words: string, path: string) =>
    words === path ? path : `${words} (${path})`,
  );
}

/** What the packages consist of, theirs and others', with licences: CycloneDX. */
export async function writeBillOfMaterials(file: string): Promise<void> {
  const filters = publishedPackages().map(({ name }) => `--filter=${name}`);
  const args = ["sbom", "--sbom-format", "cyclonedx", "--prod", "--out", file];
  await execa(NODE_BINARY, [PNPM, ...filters, ...args], { cwd: ROOT });
}
