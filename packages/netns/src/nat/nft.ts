import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { howToInstall, inNamespace, SYSTEM_PATH } from "@kata-ts/linux";
import { NetnsError } from "../errors.ts";

const DEADLINE_MS = 10_000;

/**
 * Carries out a script of nftables: all of it, or nothing.
 *
 * @param namespace a path; undefined: the calling thread's
 * @throws NetnsError KATA_NETWORK
 */
export async function changeRules(namespace: string | undefined, script: string): Promise<void> {
  await runNft(namespace, ["-f", "-"], script);
}

/** @param what such as `list chains`; @returns JSON, of the calling thread's namespace; @throws NetnsError KATA_NETWORK */
export async function listRules(what: string): Promise<string> {
  return await runNft(undefined, ["-j", ...what.split(" ")], "");
}

async function runNft(namespace: string | undefined, args: readonly string[], input: string): Promise<string> {
  const start = () =>
    spawn("nft", args, {
      stdio: ["pipe", "pipe", "pipe"],
      timeout: DEADLINE_MS,
      killSignal: "SIGKILL",
      env: { PATH: SYSTEM_PATH, LANG: "C" },
    });
  const child = namespace === undefined ? start() : inNamespace("net", namespace, start);
  const ended: Promise<number | null> = new Promise((resolve, reject) => {
    child.once("error", (cause) => {
      reject(missing(cause));
    });
    child.once("close", resolve);
  });
  child.stdin.on("error", () => undefined); // Its exit says why.
  child.stdin.end(input);
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (code === 0) return stdout;
  const why = stderr.trim() === "" ? "it was ended" : stderr.trim();
  throw new NetnsError("KATA_NETWORK", `nft ${args.join(" ")}: ${why}`, {
    hint: "the kernel needs nftables with sets, NAT, log, reject and limits of connections (CONFIG_NF_TABLES, CONFIG_NFT_…)",
  });
}

function missing(cause: Error): NetnsError {
  return new NetnsError("KATA_NETWORK", `nft cannot be run: ${cause.message}`, {
    cause,
    hint: howToInstall("nftables"),
  });
}
