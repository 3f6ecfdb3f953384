/**
 * What a connection begins with that the host makes for the guest to use: where nothing is multiplexed, the guest cannot
 * open one itself. Whatever the guest says first is the beginning of a stream of the guest's.
 */
export const OFFER: Buffer = Buffer.from("KATATS/H", "latin1");
