/** The one question of a query: RFC 1035, section 4. */
export interface DnsQuestion {
  readonly id: number;
  /** In lower case, without the dot at its end; bytes that no host name has are escaped as `\ddd`. */
  readonly name: string;
  readonly type: number;
  /** The question as it stands in the message, which answers repeat. */
  readonly bytes: Buffer;
  readonly wantsRecursion: boolean;
}

interface DnsAddress {
  readonly address: string;
  /** Seconds. */
  readonly ttl: number;
}

export interface DnsAnswer {
  /** There was more than fits a datagram. */
  readonly isTruncated: boolean;
  /** Those of the question's name, also by way of the aliases in the same answer. */
  readonly addresses: readonly DnsAddress[];
}

export const DnsType = { A: 1, AAAA: 28, SVCB: 64, HTTPS: 65 } as const;
export const DnsCode = { noError: 0, serverFailure: 2, noSuchName: 3 } as const;

const TYPE_CNAME = 5;
const CLASS_IN = 1;
const HEADER_BYTES = 12;
const RESPONSE = 0x8000;
const OPCODE = 0x7800;
const TRUNCATED = 0x0200;
const RECURSION_DESIRED = 0x0100;
const RECURSION_AVAILABLE = 0x0080;
const MAX_NAME_BYTES = 255;
const MAX_POINTERS = 16;
const MAX_RECORDS = 256;

/** Undefined for what is no query with one question about the Internet. */
export function parseQuery(message: Buffer): DnsQuestion | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  const flags = message.readUInt16BE(2);
  if ((flags & (RESPONSE | OPCODE)) !== 0) return undefined;
  const question = readQuestion(message);
  return question === undefined ? undefined : { ...question, wantsRecursion: (flags & RECURSION_DESIRED) !== 0 };
}

/** A query for the same, with nothing else of the guest's in it. */
export function encodeQuery({ bytes }: DnsQuestion, id: number): Buffer {
  return Buffer.concat([header(id, RECURSION_DESIRED), bytes]);
}

/** An answer without records. */
export function encodeEmptyAnswer({ id, bytes, wantsRecursion }: DnsQuestion, code: number): Buffer {
  const flags = RESPONSE | RECURSION_AVAILABLE | (wantsRecursion ? RECURSION_DESIRED : 0) | code;
  return Buffer.concat([header(id, flags), bytes]);
}

/** Undefined for what is no answer to this question, or is damaged. */
export function parseAnswer(message: Buffer, question: DnsQuestion, id: number): DnsAnswer | undefined {
  if (message.length < HEADER_BYTES || message.readUInt16BE(0) !== id) return undefined;
  const flags = message.readUInt16BE(2);
  const found = readQuestion(message);
  if ((flags & RESPONSE) === 0 || found?.name !== question.name || found.type !== question.type) return undefined;
  const addresses = readAddresses(message, found);
  return addresses === undefined ? undefined : { isTruncated: (flags & TRUNCATED) !== 0, addresses };
}

/** The same answer for another query's id. */
export function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id, 0);
  return copy;
}

function header(id: number, flags: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(flags, 2);
  bytes.writeUInt16BE(1, 4);
  return bytes;
}

function readQuestion(message: Buffer): Omit<DnsQuestion, "wantsRecursion"> | undefined {
  if (message.readUInt16BE(4) !== 1) return undefined;
  const name = readName(message, HEADER_BYTES);
  if (name === undefined || name.hasPointers || name.end + 4 > message.length) return undefined;
  if (message.readUInt16BE(name.end + 2) !== CLASS_IN) return undefined;
  const bytes = Buffer.from(message.subarray(HEADER_BYTES, name.end + 4));
  return { id: message.readUInt16BE(0), name: name.text, type: message.readUInt16BE(name.end), bytes };
}

function readAddresses(message: Buffer, question: Omit<DnsQuestion, "wantsRecursion">): DnsAddress[] | undefined {
  const count = message.readUInt16BE(6);
  if (count > MAX_RECORDS) return undefined;
  const names = new Set([question.name]);
  const addresses: DnsAddress[] = [];
  let place = HEADER_BYTES + question.bytes.length;
  for (let index = 0; index < count; index++) {
    const owner = readName(message, place);
    if (owner === undefined || owner.end + 10 > message.length) return undefined;
    const [type, ttl] = [message.readUInt16BE(owner.end), message.readUInt32BE(owner.end + 4)];
    const data = owner.end + 10;
    place = data + message.readUInt16BE(owner.end + 8);
    if (place > message.length) return undefined;
    if (!names.has(owner.text) || message.readUInt16BE(owner.end + 2) !== CLASS_IN) continue;
    if (type === DnsType.A && place === data + 4)
      addresses.push({ address: message.subarray(data, place).join("."), ttl });
    // Resolvers write an alias before what it leads to.
    const alias = type === TYPE_CNAME ? readName(message, data) : undefined;
    if (alias !== undefined) names.add(alias.text);
  }
  return addresses;
}

interface ReadName {
  readonly text: string;
  /** Behind it in the message. */
  readonly end: number;
  readonly hasPointers: boolean;
}

/** Pointers lead back only, and are few: every name comes to an end. */
function readName(message: Buffer, start: number): ReadName | undefined {
  const labels: string[] = [];
  let place = start;
  let end: number | undefined;
  let bytes = 0;
  for (let pointers = 0; pointers <= MAX_POINTERS; ) {
    const length = message[place];
    if (length === undefined) return undefined;
    if (length === 0) return { text: labels.join("."), end: end ?? place + 1, hasPointers: end !== undefined };
    if (length >= 0xc0) {
      const target = (length & 0x3f) * 256 + (message[place + 1] ?? 0xffff);
      if (target >= place) return undefined;
      end ??= place + 2;
      place = target;
      pointers += 1;
      continue;
    }
    bytes += length + 1;
    const label = message.subarray(place + 1, place + 1 + length);
    if (length > 63 || label.length < length || bytes >= MAX_NAME_BYTES) return undefined;
    labels.push(textOf(label));
    place += length + 1;
  }
  return undefined;
}

function textOf(label: Buffer): string {
  return Array.from(label, (byte) => {
    const letter = String.fromCharCode(byte).toLowerCase();
    return /[a-z0-9_-]/.test(letter) ? letter : `\\${String(byte).padStart(3, "0")}`;
  }).join("");
}
