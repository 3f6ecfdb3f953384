import { types } from "#gen/enumerations";

/** The families of addresses in the contract's messages. */
export const IPFamily: typeof types.IPFamily = types.IPFamily;
