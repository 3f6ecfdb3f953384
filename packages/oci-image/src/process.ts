import type { ImageDefaults } from "./documents.ts";
import { ImageError } from "./errors.ts";

/** A process as the image's author wants it: fits `createContainer` of @kata-ts/virtcontainers. */
export interface ImageProcess {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  /** `USER` or `USER:GROUP`, each a name or a number. The guest looks it up: the image's files of accounts are a stranger's. */
  readonly user: string;
}

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * What to run: the image's command, or another one behind its entrypoint. Nothing of the image's files is read.
 *
 * @throws ImageError KATA_IMAGE_FORMAT for an image without a command
 */
export function processFor(defaults: ImageDefaults, command?: readonly string[]): ImageProcess {
  const args = [...(defaults.Entrypoint ?? []), ...(command ?? defaults.Cmd ?? [])];
  if (args.length === 0) throw new ImageError("KATA_IMAGE_FORMAT", "the image has no command: give one");
  const env = [...(defaults.Env ?? [])];
  if (!env.some((variable) => variable.startsWith("PATH="))) env.unshift(PATH);
  const cwd = defaults.WorkingDir ?? "";
  return { args, env, cwd: cwd === "" ? "/" : cwd, user: userOf(defaults.User ?? "") };
}

/** Without a user it is root, who has groups, too; without a group behind the colon there is none. */
function userOf(text: string): string {
  const whole = text.endsWith(":") ? text.slice(0, -1) : text;
  return whole === "" || whole.startsWith(":") ? `0${whole}` : whole;
}
