// First in a program that has no launcher: what it starts, such as QEMU, does not get what an engine's environment says to the linker.
import { DROPPED, PULLING } from "./dropped-environment.ts";

for (const name of [...DROPPED, ...PULLING]) {
  if (process.env[name] !== undefined) Reflect.deleteProperty(process.env, name);
}
