import { printable, printableJson, printableLines } from './printable';

/** What a terminal obeys, what forges a line, and what reads otherwise than it is. */
const cases: [title: string, text: string, shown: string][] = [
  ['clears no screen', '\x1b[2Jgone', '\\x1b[2Jgone'],
  ['sets no title', '\x1b]0;title\x07', '\\x1b]0;title\\x07'],
  ['has no eight-bit escapes', '\x9b2J', '\\x9b2J'],
  ['has no lines of its own', 'out of luck\r\nall is well', 'out of luck\\r\\nall is well'],
  ['has no other line ends', 'a\u2028b\u2029c\x0bd\x85e', 'a\\u{2028}b\\u{2029}c\\x0bd\\x85e'],
  ['goes on where it is', 'a\tb\bc\x7fd\0', 'a\\tb\\x08c\\x7fd\\x00'],
  ['is not turned around', 'a\u202eb\u2066c', 'a\\u{202e}b\\u{2066}c'],
  ['hides nothing', 'a\u200bb\u{e0041}', 'a\\u{200b}b\\u{e0041}'],
  ['has no halves of pairs', 'a\ud83db\udc00', 'a\\u{d83d}b\\u{dc00}'],
];
const harmless = 'Größe, 漢字, Ελληνικά, שלום, 🎉 – "quoted" \\ and so on';

describe('text of others', () => {
  it.each(cases)('%s', (_, text, shown) => {
    expect(printable(text)).toBe(shown);
    expect(printable(shown)).toBe(shown);
  });

  it('leaves the letters of all languages as they are', () => {
    for (const shown of [printable(harmless), printableLines(harmless), printableJson(harmless)]) {
      expect(shown).toBe(harmless);
    }
  });

  it('keeps the lines of text of several lines, and nothing else that a terminal obeys', () => {
    expect(printableLines('Error: \x1b[2J\r\n    at here')).toBe('Error: \\x1b[2J\\r\n    at here');
  });
});

describe('JSON with text of others', () => {
  const everything = String.fromCodePoint(...Array.from({ length: 0x3000 }, (_, code) => code), 0xfeff, 0xe0041);

  it.each(cases)('%s, and stays the same document', (_, text) => {
    const document = { [text]: [text, { nested: text }] };
    const json = printableJson(JSON.stringify(document));
    expect(json).toBe(printable(json));
    expect(JSON.parse(json)).toEqual(document);
  });

  it('stays the same document whatever is in it', () => {
    const json = printableJson(JSON.stringify(everything));
    expect(json).toBe(printable(json));
    expect(JSON.parse(json)).toBe(everything);
  });
});
