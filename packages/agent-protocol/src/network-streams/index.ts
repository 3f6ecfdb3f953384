/**
 * The streams that are no process's: those that a guest opens to ask the host for names and for the time, and those that the host opens
 * to reach a port of the guest's loopback, or for the guest to use. PROTOCOL.md describes them.
 *
 * @module
 */
export { askTime, CLOCK, MAX_QUESTIONS, TIME_BYTES, timeOf, writeTime } from "./clock.ts";
export { DnsTransport, readBytes, readDnsMessage, writeDnsMessage } from "./names.ts";
export { OFFER } from "./offers.ts";
export { encodePortPreface, PORT_PREFACE_BYTES, portOf } from "./ports.ts";
