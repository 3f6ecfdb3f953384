// First in a program that has no launcher: what it starts, such as QEMU, does not get what an engine's environment says to the linker,
// and the containers that it makes have its caller's limits: inheritedLimits() of @kata-ts/linux reads them.
import { DROPPED, PULLING } from "./dropped-environment.ts";

for (const name of [...DROPPED, ...PULLING]) {
  if (process.env[name] !== undefined) Reflect.deleteProperty(process.env, name);
}
process.env.KATA_TS_NOFILE = String((process as { readonly softOpenFiles?: number }).softOpenFiles);
