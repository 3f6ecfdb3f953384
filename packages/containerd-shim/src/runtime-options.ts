import { containerd, type google, runtimeoptions } from "#gen/containerd";
import { isMessage } from "./any.ts";

/** What of the options in containerd's configuration is of use to us. */
export interface RuntimeOptions {
  /** `ConfigPath`: our configuration.toml. */
  readonly configPath: string | undefined;
  /** `SystemdCgroup`. */
  readonly systemdCgroup: boolean;
}

/** Options of Kata's kind name a file, those of runc's the driver of cgroups; others are of no use. */
export function runtimeOptions(options: google.protobuf.Any.$Properties | null | undefined): RuntimeOptions {
  const none = { configPath: undefined, systemdCgroup: false };
  if (options === null || options === undefined) return none;
  const value = options.value ?? new Uint8Array();
  if (isMessage(options, "runtimeoptions.v1.Options") || isMessage(options, "cri.runtimeoptions.v1.Options")) {
    const { config_path } = runtimeoptions.v1.Options.decode(value);
    return { ...none, configPath: config_path === "" ? undefined : config_path };
  }
  if (isMessage(options, "containerd.runc.v1.Options")) {
    return { ...none, systemdCgroup: containerd.runc.v1.Options.decode(value).systemd_cgroup };
  }
  return none;
}
