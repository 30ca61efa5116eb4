import { describeError, foreignFields, lineOf } from './fields';

describe('R48 the fields of a line', () => {
  it('R48 are written as they are', () => {
    const fields = { orderId: '7', count: 1, nested: { level: 'deep' }, nothing: undefined };
    expect(lineOf(fields)).toBe(fields);
  });

  it.each(['level', 'time', 'service', 'event'])('R48 do not say what the logger says: %s', (name) => {
    expect(lineOf({ [name]: 'forged', orderId: '7' })).toEqual({ [`${name}_`]: 'forged', orderId: '7' });
  });

  it('R48 are not endless', () => {
    const [text] = Object.values(lineOf({ messageId: 'x'.repeat(1_000_000) })) as [string];
    expect(text).toBe(`${'x'.repeat(10_000)} …`);
  });
});

describe('R48 an error in a line', () => {
  it('R54 is its name, message, code, stack and cause, and nothing else of it', () => {
    const cause = Object.assign(new Error('inner'), { code: '23505', detail: 'Key (email)=(alice@example.org)' });
    expect(describeError(new Error('outer', { cause }))).toEqual({
      name: 'Error',
      message: 'outer',
      code: undefined,
      stack: expect.stringContaining('Error: outer'),
      cause: { name: 'Error', message: 'inner', code: '23505', stack: expect.any(String), cause: undefined },
    });
  });

  it('R48 is not endless, even if it is its own cause', () => {
    const error = new Error('x'.repeat(1_000_000));
    error.cause = error;
    expect(JSON.stringify(describeError(error)).length).toBeLessThan(200_000);
  });
});

describe('R48 the fields that another service has named', () => {
  it('R48 are added as they are when they are few and short', () => {
    const detail = { paymentId: '7', amount: 3, paid: true, none: null, lines: [{ sku: 'cup' }] };
    expect(foreignFields({ ...detail, missing: undefined })).toEqual(detail);
  });

  it.each(['level', 'time', 'service', 'event', 'err', 'stack', 'a b', 'a\nb', '\x1b[2J', '7', '', 'x'.repeat(41)])(
    'R48 have no such name: %p',
    (name) => {
      expect(foreignFields({ [name]: 'forged', paymentId: '7' })).toEqual({ paymentId: '7', leftOut: 1 });
    },
  );

  it('R48 are only some, however many there are', () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`field${index}`, index]));
    const written = foreignFields(many);
    expect(Object.keys(written)).toHaveLength(11);
    expect(written).toMatchObject({ field0: 0, field9: 9, leftOut: 990 });
  });

  it.each<[string, unknown, string]>([
    ['texts', 'x'.repeat(100_000), 'x'.repeat(500)],
    ['lists', Array<string>(1_000).fill('cup'), '["cup","cup",'],
    ['structures', { deep: { text: 'x'.repeat(100_000) } }, '{"deep":{"text":"xxx'],
  ])('R48 are no long %s', (_, value, begin) => {
    const { paymentId } = foreignFields({ paymentId: value }) as { paymentId: string };
    expect(paymentId.startsWith(begin)).toBe(true);
    expect(paymentId).toHaveLength(502);
  });
});
