/** Names of what must not leave a machine. A name is enough: what is behind it goes, whatever it is. */
const SECRET = "(?:[\\w.-]*(?:password|passwd|secret|token|api_?key|credential|private_?key|auth)[\\w.-]*)";

/** `NAME=VALUE`, `NAME: VALUE` and `"NAME": "VALUE"`, quoted or up to the next space. */
const ASSIGNED = new RegExp(`(["']?\\b${SECRET}["']?\\s*[=:]\\s*)("(?:[^"\\\\]|\\\\.)*"|'[^']*'|[^\\s,;"']+)`, "gi");
/** `https://USER:PASSWORD@HOST`. */
const IN_URL = /(\b[a-z][a-z\d+.-]*:\/\/)[^\s/@:]+:[^\s/@]+@/gi;
const KEY_BLOCK = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;

export const REDACTED = "<removed>";

/** A text without the values of what is named as a secret, the passwords in URLs, and private keys. */
export function redact(text: string): string {
  return text
    .replaceAll(KEY_BLOCK, REDACTED)
    .replaceAll(IN_URL, `$1${REDACTED}@`)
    .replaceAll(ASSIGNED, `$1${REDACTED}`);
}
