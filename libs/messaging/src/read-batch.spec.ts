import fc from 'fast-check';
import { newMessage } from './message';
import { partsOf, readBatch } from './read-batch';

const message = newMessage({ id: 'a', type: 'test.do.v1', source: 'test', subject: 's', data: { tenant: 'acme' } });

describe('R54 the parts of a list', () => {
  it('R54 are found as they were written, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom('', ' ', '\n\t'), (values, space) => {
        const texts = values.map((value) => JSON.stringify(value));
        const parts = partsOf(`${space}[${space}${texts.join(`${space},${space}`)}${space}]${space}`);
        expect(parts).toEqual(values.length === 0 ? [''] : texts);
      }),
    );
  });

  it('R54 may be nested deeper than any stack', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    expect(partsOf(`[1,${deep},"]"]`)).toEqual(['1', deep, '"]"']);
  });
});

describe('R54 a batch from outside', () => {
  it.each<[string, unknown, string | undefined]>([
    ['no object', null, undefined],
    ['a number', 7, undefined],
    ['a list', [message], undefined],
    ['without an id', { ...message, id: undefined }, 'acme'],
    ['whose data is a text', { ...message, tenant: 'acme', data: 'tok_secret' }, 'acme'],
    ['whose tenant is no name', { tenant: 'a b' }, undefined],
    ['whose tenant is no text', { tenant: ['acme'] }, undefined],
  ])('R54 has an event beside the others that is odd: %s', (_, odd, tenant) => {
    expect(readBatch(JSON.stringify([message, odd, message]))).toEqual({
      messages: [message, message],
      odd: [{ batch: JSON.stringify([odd]), tenant }],
    });
  });

  it('R54 may have no event', () => {
    expect(readBatch('[]')).toEqual({ messages: [], odd: [] });
  });

  it.each(['', 'x', '{}', '"[]"', 'null'])('R54 is no list: %j', (text) => {
    expect(() => readBatch(text)).toThrow('unreadable message batch');
  });
});
