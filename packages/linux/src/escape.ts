/** Control and format characters, separators of lines and paragraphs, halves of surrogate pairs: all but line ends. */
const STEERING = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Text that a guest had a say in, safe for a log or a terminal. What would steer a terminal becomes `\xNN`; what would turn
 * the order of characters around, hide or break them (U+202E, U+200B, U+2028) becomes `\u{NNNN}`.
 */
export function escapeControls(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(STEERING, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const digits = code.toString(16);
    return code <= 0xff ? `\\x${digits.padStart(2, "0")}` : `\\u{${digits}}`;
  });
}
