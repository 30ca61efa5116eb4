import { changedMembers } from './corrected';

const body = { amount: 4_200, currency: 'EUR', lines: [{ sku: 'cup' }] };

describe('a corrected body', () => {
  it.each([
    ['nothing', body, {}],
    ['a member', { ...body, amount: 4_300 }, { amount: 4_300 }],
    ['the inside of a member', { ...body, lines: [{ sku: 'mug' }] }, { lines: [{ sku: 'mug' }] }],
    ['a new member', { ...body, note: 'x' }, { note: 'x' }],
    ['a member that was taken out', { currency: 'EUR', lines: body.lines }, { amount: null }],
  ])('says what is other: %s', (_, given, expected) => {
    expect(changedMembers(body, JSON.stringify(given))).toEqual(expected);
  });

  it.each(['', '{', '[]', 'null', '7'])('has to be an object: %j', (text) => {
    expect(changedMembers(body, text)).toBeUndefined();
  });
});
