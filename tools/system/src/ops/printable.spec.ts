import { printable } from './printable';

describe('what operators are shown', () => {
  it.each([
    ['clears no screen', '\x1b[2Jgone', '\\x1b[2Jgone'],
    ['sets no title', '\x1b]0;title\x07', '\\x1b]0;title\\x07'],
    ['has no eight-bit escapes', '\x9b2J', '\\x9b2J'],
    ['has no lines of its own', 'out of luck\r\nall is well', 'out of luck\\r\\nall is well'],
    ['has no other line ends', 'a\u2028b\u2029c\x0bd', 'a\\u{2028}b\\u{2029}c\\x0bd'],
    ['goes on where it is', 'a\tb\bc\x7fd\0', 'a\\tb\\x08c\\x7fd\\x00'],
    ['is not turned around', 'a\u202eb', 'a\\u{202e}b'],
    ['hides nothing', 'a\u200bb\u{e0041}', 'a\\u{200b}b\\u{e0041}'],
  ])('%s', (_, text, shown) => {
    expect(printable(text)).toBe(shown);
    expect(printable(shown)).toBe(shown);
  });

  it('leaves the letters of all languages as they are', () => {
    const text = 'Größe, 漢字, Ελληνικά, שלום, 🎉 – "quoted" \\ and so on';
    expect(printable(text)).toBe(text);
  });
});
