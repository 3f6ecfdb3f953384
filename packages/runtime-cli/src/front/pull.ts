import { parsePlatform } from "@kata-ts/oci-image";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { Interruption } from "../verbs/interruption.ts";
import { openStore } from "./image-store.ts";
import { locate } from "./locate.ts";
import { pullImage } from "./pull-image.ts";

export const manual: Manual = {
  operands: "IMAGE",
  options: {
    platform: {
      type: "string",
      value: "OS/ARCH",
      about: "of an image for several, such as linux/arm64; this machine's",
    },
    quiet: { type: "boolean", short: "q", about: "print its digest alone" },
    "plain-http": { type: "boolean", about: "fetch the image by HTTP, without TLS: a registry of one's own" },
  },
  notes: [
    "IMAGE is of a registry, an OCI layout, or an archive of docker save. It is fetched as far as it is not here,",
    "unpacked once, and kept until kata rmi.",
  ],
  examples: ["pull alpine:3.20", "pull ./saved.tar"],
};

export const verb: Verb = async (args, { log }) => {
  const { options, words } = parseAnywhere(args, manual.options);
  const [from, ...more] = words;
  if (from === undefined || more.length > 0) throw new UsageError('"pull" requires exactly 1 argument: an image');
  const platform = options.text("platform");
  const wanted = platform === undefined ? undefined : parsePlatform(platform);
  const location = locate(from, { isPlain: options.flag("plain-http") });
  if (location === undefined) throw new UsageError(`${from} is a root file system: kata run takes it as it is`);
  using interruption = new Interruption();
  const store = await openStore();
  const { names, digest } = await pullImage(store, {
    from,
    location,
    platform: wanted,
    signal: interruption.signal,
    warn: (message) => {
      log.warning(`${from}: ${message}`);
    },
  });
  print(options.flag("quiet") ? `${digest}\n` : `${names[0] ?? from}: ${digest}\n`);
  return 0;
};
