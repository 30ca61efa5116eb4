/** Text that other people wrote, made harmless for a terminal. */

/** Control characters, line ends, what is invisible or turns the direction of writing, and halves of surrogate pairs. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const wellKnown: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One line in which such characters are told instead of written: `\x1b` for an escape. Doing it twice changes nothing. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => wellKnown[character] ?? escapeOf(character.codePointAt(0)!));
}

/** The same for text of several lines, such as a stack. Its lines stay lines; nothing else does. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

function escapeOf(code: number): string {
  const hex = code.toString(16);
  return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
}

/** `JSON.stringify` escapes the other ones. */
const unprintableInJson = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The same document, in which no character is left that a terminal obeys. Such characters stand only in its strings. */
export function printableJson(json: string): string {
  return json.replace(unprintableInJson, (character) =>
    Array.from({ length: character.length }, (_, index) => unitOf(character.charCodeAt(index))).join(''),
  );
}

const unitOf = (unit: number): string => `\\u${unit.toString(16).padStart(4, '0')}`;
