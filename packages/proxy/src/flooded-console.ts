// For console-flood.test.ts: the console of a guest, in a process of its own; its input is what the guest says.
import { GuestConsole } from "./guest-console.ts";

const [file = ""] = process.argv.slice(2);
new GuestConsole(process.stdin, file, () => undefined);
