import * as z from "zod/mini";
import { option, type ShapeOf } from "../option.ts";

export interface NetworkOptions {
  readonly disable_vhost_net?: boolean | undefined;
  readonly rx_rate_limiter_max_rate?: number | undefined;
  readonly tx_rate_limiter_max_rate?: number | undefined;
}

export const networkOptions: ShapeOf<NetworkOptions> = {
  disable_vhost_net: option(z.boolean(), {
    about: "do not use `/dev/vhost-net`, also where it is there",
    initial: false,
  }),
  rx_rate_limiter_max_rate: option(z.int().check(z.minimum(0)), {
    about: "of each interface, towards the guest; 0 is unlimited",
    unit: "bits per second",
    initial: 0,
  }),
  tx_rate_limiter_max_rate: option(z.int().check(z.minimum(0)), {
    about: "of each interface, from the guest; 0 is unlimited",
    unit: "bits per second",
    initial: 0,
  }),
};
