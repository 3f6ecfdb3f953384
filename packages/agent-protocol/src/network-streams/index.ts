/**
 * The streams that are no process's: those that a guest opens to ask the host for names, and those that the host opens
 * to reach a port of the guest's loopback. PROTOCOL.md describes them.
 *
 * @module
 */
export { DnsTransport, readBytes, readDnsMessage, writeDnsMessage } from "./names.ts";
export { encodePortPreface, PORT_PREFACE_BYTES, portOf } from "./ports.ts";
