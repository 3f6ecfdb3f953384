import { environment } from "kata:native";
import { libc } from "../libc.ts";

export type Environment = Record<string, string | undefined>;

/** Every value is a string, and children started without an environment of their own get what was set. */
export function makeEnvironment(): Environment {
  const values: Environment = {};
  for (const entry of environment()) {
    const end = entry.indexOf("=", 1);
    if (end !== -1) values[entry.slice(0, end)] = entry.slice(end + 1);
  }
  return new Proxy(values, {
    set: (target, name, value) => {
      if (typeof name === "symbol") throw new TypeError("Cannot convert a Symbol value to a string");
      target[name] = String(value);
      libc("setenv", name, String(value), 1);
      return true;
    },
    deleteProperty: (target, name) => {
      if (typeof name === "symbol") return true;
      Reflect.deleteProperty(target, name);
      libc("unsetenv", name);
      return true;
    },
  });
}
