const BEGIN = "# kata-ts: begin (kata-runtime kata-engine --remove takes this block away)";
const END = "# kata-ts: end";

/** A text between our two comments, as it stands in a file that has other things, too. */
function block(content: string): string {
  return `${BEGIN}\n${content.trim()}\n${END}\n`;
}

/** The file's text with our block at its end; an earlier block is replaced. Nothing else changes. */
export function withBlock(text: string, content: string): string {
  const rest = withoutBlock(text);
  // The one line end before it is ours, whether the text had one at its end or not.
  return rest === "" ? block(content) : `${rest}\n${block(content)}`;
}

/** The file's text without our block, as it was before. */
export function withoutBlock(text: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin);
  if (begin === -1 || end === -1) return text;
  const before = text.slice(0, begin);
  const after = text.slice(end + END.length).replace(/^\n/, "");
  return `${before.replace(/\n$/, "")}${after}`;
}

export function hasBlock(text: string): boolean {
  return withoutBlock(text) !== text;
}
