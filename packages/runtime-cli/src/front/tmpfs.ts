import type { SpecMount } from "@kata-ts/agent-protocol";
import { UsageError } from "../arguments/parse.ts";
import { parseBytes } from "../verbs/update-options.ts";

/** As Docker mounts it where nothing else is asked for. */
const USUAL = ["nosuid", "nodev", "noexec"];
const FLAGS = ["rw", "ro", "nosuid", "suid", "nodev", "dev", "noexec", "exec", "noatime", "relatime"];
const OPPOSITE: Readonly<Record<string, string>> = { suid: "nosuid", dev: "nodev", exec: "noexec" };

/** `PATH[:OPTIONS]`, such as `/run:size=64m,mode=755`. @throws UsageError */
export function parseTmpfs(text: string): SpecMount {
  const colon = text.indexOf(":");
  const destination = colon === -1 ? text : text.slice(0, colon);
  if (!destination.startsWith("/") || destination === "/") {
    throw new UsageError(`--tmpfs takes an absolute path, and options behind a colon, not "${text}"`);
  }
  const asked = (colon === -1 ? "" : text.slice(colon + 1)).split(",").filter((option) => option !== "");
  const options = asked.map((option) => checked(option, text));
  const usual = USUAL.filter((flag) => !options.some((option) => option === flag || OPPOSITE[option] === flag));
  return { destination, type: "tmpfs", source: "tmpfs", options: [...usual, ...options] };
}

function checked(option: string, whole: string): string {
  if (FLAGS.includes(option)) return option;
  const [, name = "", value = ""] = /^(size|mode|uid|gid|nr_inodes)=(.+)$/.exec(option) ?? [];
  if (name === "size" && !value.endsWith("%")) return `size=${String(parseBytes(value, "tmpfs size"))}`;
  const isRight =
    name === "mode"
      ? /^[0-7]{3,4}$/.test(value)
      : name === "size"
        ? /^\d{1,3}%$/.test(value)
        : /^\d{1,10}$/.test(value);
  if (name !== "" && isRight) return option;
  throw new UsageError(`--tmpfs ${whole}: "${option}" is no option of it`);
}
