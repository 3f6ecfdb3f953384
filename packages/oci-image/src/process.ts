import type { ImageDefaults } from "./documents.ts";
import { ImageError } from "./errors.ts";
import { shown } from "./text.ts";

/** A process as the image's author wants it: fits `createContainer` of @kata-ts/virtcontainers. */
export interface ImageProcess {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  /** `USER` or `USER:GROUP`, each a name or a number. The guest looks it up: the image's files of accounts are a stranger's. */
  readonly user: string;
}

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Of users and groups: the number after it is Linux's for "none". */
const MAX_ID = 2 ** 32 - 2;

/**
 * What to run: the image's command, or another one behind its entrypoint. Nothing of the image's files is read.
 *
 * @param name what the image is called, for errors
 * @throws ImageError KATA_IMAGE_FORMAT for an image without a command, or with a user by numbers that no user has
 */
export function processFor(defaults: ImageDefaults, command?: readonly string[], name = "the image"): ImageProcess {
  const args = [...(defaults.Entrypoint ?? []), ...(command ?? defaults.Cmd ?? [])];
  if (args.length === 0) throw new ImageError("KATA_IMAGE_FORMAT", "the image has no command: give one");
  const env = [...(defaults.Env ?? [])];
  if (!env.some((variable) => variable.startsWith("PATH="))) env.unshift(PATH);
  const cwd = defaults.WorkingDir ?? "";
  return { args, env, cwd: cwd === "" ? "/" : cwd, user: userOf(defaults.User ?? "", name) };
}

/** Without a user it is root, who has groups, too; without a group behind the colon there is none. */
function userOf(text: string, name: string): string {
  if (text.split(":").some((part) => /^\d+$/.test(part) && Number(part) > MAX_ID)) {
    const reason = `users and groups have numbers up to ${String(MAX_ID)}`;
    throw new ImageError("KATA_IMAGE_FORMAT", `${name} has the user "${shown(text)}", and ${reason}: name another one`);
  }
  const whole = text.endsWith(":") ? text.slice(0, -1) : text;
  return whole === "" || whole.startsWith(":") ? `0${whole}` : whole;
}
