/** Text that other people wrote, made harmless for a terminal. */

/** Control characters, line ends, and what is invisible or turns the direction of writing. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

const wellKnown: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One line in which such characters are told instead of written: `\x1b` for an escape. Doing it twice changes nothing. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => wellKnown[character] ?? escapeOf(character.codePointAt(0)!));
}

function escapeOf(code: number): string {
  const hex = code.toString(16);
  return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
}
