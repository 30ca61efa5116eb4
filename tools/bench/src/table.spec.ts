import { tableOf } from './table';

describe('tableOf', () => {
  it('aligns columns and lets a value that stands alone be as long as it is', () => {
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
