import { tableOf } from './table';

describe('tableOf', () => {
  it('aligns columns and does not limit the length of a single value', () => {
    const text = tableOf([
      ['', 'one', 'two'],
      ['CPU', '1.50 ms', '2.00 ms'],
      ['books', 'exact, and a sentence that goes on'],
    ]);
    expect(text.split('\n')).toEqual([
      '       one      two',
      'CPU    1.50 ms  2.00 ms',
      'books  exact, and a sentence that goes on',
    ]);
  });
});
