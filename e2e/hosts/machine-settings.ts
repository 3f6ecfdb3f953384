import { copyFileSync, existsSync, globSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { runCommand } from "../harness/command.ts";

const OWN_CERTIFICATES = "/usr/local/share/ca-certificates";
const EXTRA_CERTIFICATES = "/etc/ssl/extra-ca-certificates.pem";
const PROXIES = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

/**
 * Lets a root reach the network the way this machine does: its certificates, npm registry and proxies. Nothing secret is
 * copied, such as a token of npm's configuration.
 *
 * @returns the environment for its commands
 */
export async function copyMachineSettings(root: string): Promise<Record<string, string>> {
  const directory = join(root, OWN_CERTIFICATES);
  mkdirSync(directory, { recursive: true });
  for (const file of globSync(`${OWN_CERTIFICATES}/**/*.crt`)) copyFileSync(file, join(directory, basename(file)));

  const extra = [process.env.NODE_EXTRA_CA_CERTS, await npmConfig("cafile")].find(isFile);
  if (extra !== undefined) copyFileSync(extra, join(root, EXTRA_CERTIFICATES));
  const npmrc = [
    `registry=${await npmConfig("registry")}`,
    ...(extra === undefined ? [] : [`cafile=${EXTRA_CERTIFICATES}`]),
  ];
  writeFileSync(join(root, "root/.npmrc"), `${npmrc.join("\n")}\n`);

  const proxies = PROXIES.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(proxies),
    ...(extra === undefined ? {} : { NODE_EXTRA_CA_CERTS: EXTRA_CERTIFICATES }),
  };
}

function isFile(path: string | undefined): path is string {
  return path !== undefined && path !== "" && existsSync(path);
}

async function npmConfig(name: string): Promise<string> {
  const { stdout } = await runCommand("npm", ["config", "get", name], { cwd: "/" });
  return stdout === "null" || stdout === "undefined" ? "" : stdout;
}
