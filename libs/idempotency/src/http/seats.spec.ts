import { Seats } from './seats';

const outcomeOf = (take: () => unknown): unknown => {
  try {
    take();
    return 'seated';
  } catch (error) {
    const { body, headers } = error as { body: { status: number; code: string }; headers: object };
    return [body.status, body.code, headers];
  }
};

describe('R45 seats', () => {
  const tooMany = [429, 'too_many_waiting', { 'retry-after': '1' }];
  const overloaded = [503, 'overloaded', { 'retry-after': '1' }];

  it('R45 are so many for each tenant, and others keep theirs', () => {
    const seats = new Seats({ perTenant: 2, inAll: 10 });
    const [first] = [seats.take('acme'), seats.take('acme')];
    expect(outcomeOf(() => seats.take('acme'))).toEqual(tooMany);
    expect(outcomeOf(() => seats.take('rival'))).toBe('seated');
    first();
    expect(outcomeOf(() => seats.take('acme'))).toBe('seated');
    expect(outcomeOf(() => seats.take('acme'))).toEqual(tooMany);
  });

  it('R45 are so many in all', () => {
    const seats = new Seats({ perTenant: 2, inAll: 3 });
    const leave = ['a', 'b', 'c'].map((tenant) => seats.take(tenant));
    expect(outcomeOf(() => seats.take('d'))).toEqual(overloaded);
    leave.forEach((one) => one());
    for (const tenant of ['d', 'd', 'e']) expect(outcomeOf(() => seats.take(tenant))).toBe('seated');
    expect(outcomeOf(() => seats.take('e'))).toEqual(overloaded);
  });
});
