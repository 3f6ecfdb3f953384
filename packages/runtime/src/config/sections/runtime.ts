import * as z from "zod/mini";
import { option, type ShapeOf } from "../option.ts";

export interface RuntimeOptions {
  readonly enable_debug?: boolean | undefined;
  readonly system_log?: "syslog" | "journald" | "" | undefined;
  readonly enable_tracing?: boolean | undefined;
  readonly trace_endpoint?: string | undefined;
  readonly boot_timeout?: number | undefined;
  readonly internetworking_model?: "tcfilter" | "macvtap" | "none" | "default" | undefined;
  readonly egress?: readonly string[] | undefined;
  readonly disable_new_netns?: boolean | undefined;
  readonly disable_guest_seccomp?: boolean | undefined;
}

function isHttp(text: string): boolean {
  return text === "" || (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol));
}

export const runtimeOptions: ShapeOf<RuntimeOptions> = {
  enable_debug: option(z.boolean(), { about: "log more", initial: false }),
  system_log: option(z.enum(["syslog", "journald", ""]), {
    about:
      "`syslog` or `journald`: entries of the log go there, too, each with its container and sandbox. Takes some milliseconds an entry",
    initial: "",
  }),
  enable_tracing: option(z.boolean(), {
    about: "each call that opens a sandbox sends a span of itself, with its steps, to a collector of OpenTelemetry",
    initial: false,
  }),
  trace_endpoint: option(z.string().check(z.refine(isHttp, "must be an http or https URL")), {
    about: "where the collector takes OTLP over HTTP; `/v1/traces` is appended",
    initial: "http://localhost:4318",
    hostOnly: true,
  }),
  boot_timeout: option(z.number().check(z.minimum(1)), {
    about: "that a guest may take to boot",
    unit: "seconds",
    initial: 60,
  }),
  internetworking_model: option(z.enum(["tcfilter", "macvtap", "none", "default"]), {
    about: "how interfaces are joined to the VM; `none`: only the loopback",
    initial: "tcfilter",
  }),
  egress: option(z.array(z.string()), {
    about:
      "what guests may call: `all`, `none`, or addresses and ranges, each with a port if only that is meant: `10.1.0.0/16`, `192.0.2.1:443`, `[fd00::/8]:53`. Kept on the host, in both models, for veth, macvlan and ipvlan interfaces; needs nftables",
    initial: ["all"],
  }),
  disable_new_netns: option(z.boolean(), {
    about: "run everything in the caller's network namespace; only with `none`",
    initial: false,
  }),
  disable_guest_seccomp: option(z.boolean(), {
    about:
      "`true`: `linux.seccomp` of config.json is not applied in the guest. Kata 1.x's files say so; leave it out for what engines ask for",
    initial: false,
  }),
};
