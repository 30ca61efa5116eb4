/** Which orders are remembered as open, and for how long. */
import { OpenOrders } from './open-orders';

function openOf(keys: string[], max?: number): OpenOrders {
  const open = new OpenOrders(max);
  for (const key of keys) open.add(key);
  return open;
}
const remembered = (open: OpenOrders) => ['a', 'b', 'c', 'd'].filter((key) => open.has(key));

describe('R31 the memory of open orders', () => {
  it('has what was added and not deleted since', () => {
    const open = openOf(['a', 'b', 'c']);
    open.delete('b');
    open.delete('d');
    expect(remembered(open)).toEqual(['a', 'c']);
    open.add('b');
    expect(remembered(open)).toEqual(['a', 'b', 'c']);
  });

  it('R45 keeps so many and no more: the longest unmoved goes first', () => {
    expect(remembered(openOf(['a', 'b', 'a', 'c'], 2))).toEqual(['a', 'c']);
    expect(remembered(openOf(['a', 'b', 'c'], 3))).toEqual(['a', 'b', 'c']);
  });
});
