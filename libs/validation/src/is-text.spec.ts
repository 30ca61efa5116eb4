import 'reflect-metadata';
import { IsText } from './is-text';
import { validate } from './validate';

class Note {
  @IsText(5) text: string;
}

describe('IsText', () => {
  const isRight = (text: unknown) => validate(Note, { text }, { unknownProperties: 'refuse' }).ok;

  it.each(['a', 'ab cd', 'ü€', '😀'])('takes %p', (text) => expect(isRight(text)).toBe(true));
  it.each(['', 'abcdef', 'a\0b', '\ud83d', 'x\udc00', 7, null, undefined])('refuses %p', (text) =>
    expect(isRight(text)).toBe(false),
  );
});
