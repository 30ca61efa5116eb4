import 'reflect-metadata';
import { plainToInstance, Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsDefined,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Validate,
  ValidateIf,
  ValidateNested,
  validateSync,
  ValidatorConstraint,
} from 'class-validator';
import fc from 'fast-check';
import { validate, validationFailed } from './validate';

class Money {
  @IsInt() amount: number;
}
class Line {
  @IsString() sku: string;
  @IsInt() quantity: number;
  @IsOptional() @ValidateNested() @Type(() => Money) unitPrice?: Money;
}
class Cart {
  @ArrayMaxSize(10) @ValidateNested({ each: true }) @Type(() => Line) lines: Line[];
}
class Order {
  @IsArray() @ArrayMaxSize(100) @ValidateNested({ each: true }) @Type(() => Line) items: Line[];
  @IsDefined() @ValidateNested() @Type(() => Money) payment: Money;
  @IsOptional() @ArrayMaxSize(50) @IsString({ each: true }) tags?: string[];
  @IsIn(['a', 'b']) kind = 'a';
  @ValidateIf((order: Order) => order.kind === 'b') @IsString() reason?: string;
  @IsOptional() @IsObject() extra?: Record<string, unknown>;
}
class Page {
  @Transform(({ value }) => Number(value)) @IsInt() limit: number;
}

@ValidatorConstraint({ async: true })
class NeverInTime {
  validate(): Promise<boolean> {
    return new Promise(() => undefined);
  }
}

const refuse = { unknownProperties: 'refuse' } as const;
const drop = { unknownProperties: 'drop' } as const;

const line = { sku: 'a', quantity: 1 };
const order = { items: [line, { ...line, unitPrice: { amount: 1 } }], payment: { amount: 2 } };
const money = maybe(fc.record({ amount: maybe(fc.integer()) }));
const lines = maybe(
  fc.array(
    maybe(
      fc.record(
        { sku: maybe(fc.string()), quantity: maybe(fc.integer()), unitPrice: money },
        { requiredKeys: ['sku', 'quantity'] },
      ),
    ),
    { maxLength: 4 },
  ),
);
const orders = fc.record(
  {
    items: lines,
    payment: money,
    tags: maybe(fc.array(maybe(fc.string()))),
    kind: maybe(fc.constantFrom('a', 'b')),
    reason: maybe(fc.string()),
    // In free objects, class-transformer drops names that every object inherits.
    extra: maybe(
      fc.dictionary(
        fc.string().filter((name) => !(name in {})),
        fc.integer(),
      ),
    ),
  },
  { requiredKeys: ['items', 'payment'] },
);
const pathsOf = (type: new () => object, input: unknown, options: typeof refuse | typeof drop = refuse) => {
  const result = validate(type, input, options);
  return result.ok ? [] : result.faults.map(({ path }) => path);
};

describe('validate', () => {
  it('answers an instance of the class', () => {
    const result = validate(Cart, { lines: [{ sku: 'a', quantity: 1 }] }, refuse);
    expect(result.ok && result.value.lines[0]).toBeInstanceOf(Line);
  });

  it('names every fault with its path', () => {
    const result = validate(Cart, { lines: [{ sku: 1, quantity: 'x' }] }, refuse);
    expect(result.ok ? [] : result.faults.map((fault) => fault.path)).toEqual(['lines.0.sku', 'lines.0.quantity']);
  });

  it('refuses what is nested without end, and walks down only as far as it must', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(30_000)}${']'.repeat(30_000)}`);
    const result = validate(Cart, { lines: deep }, refuse);
    expect(result.ok ? [] : result.faults).toEqual([{ path: 'lines.0', message: 'must be an object' }]);
  });

  it.each([null, [], 'text', 7, undefined])('refuses %p, which is not an object', (input) => {
    expect(validate(Cart, input, refuse).ok).toBe(false);
  });

  it('refuses an unknown property of a request and drops that of a message', () => {
    const input = { lines: [], colour: 'red' };
    expect(validate(Cart, input, refuse).ok).toBe(false);
    const dropped = validate(Cart, input, { unknownProperties: 'drop' });
    expect(dropped.ok && dropped.value).toEqual({ lines: [] });
  });

  it('answers nested instances, defaults and what is transformed', () => {
    const result = validate(Order, { ...order, extra: { a: [1] } }, refuse);
    if (!result.ok) throw new Error(JSON.stringify(result.faults));
    expect(result.value).toEqual({ ...order, kind: 'a', extra: { a: [1] } });
    expect(result.value.items[1]!.unitPrice).toBeInstanceOf(Money);
    expect(result.value.payment).toBeInstanceOf(Money);
    expect(validate(Page, { limit: '7' }, refuse)).toEqual({ ok: true, value: { limit: 7 } });
    expect(validate(Page, { limit: 'x' }, refuse).ok).toBe(false);
  });

  it.each([
    ['payment', { payment: [] }],
    ['payment', { payment: [{ amount: 2 }] }],
    ['payment', { payment: [[]] }],
    ['payment', { payment: 'x' }],
    ['payment', { payment: null }],
    ['payment', { payment: undefined }],
    ['payment.amount', { payment: {} }],
    ['items', { items: {} }],
    ['items', { items: line }],
    ['items', { items: 7 }],
    ['items.0', { items: [[]] }],
    ['items.1', { items: [line, [line]] }],
    ['items.0', { items: ['x'] }],
    ['items.0', { items: [null] }],
    ['items.0.unitPrice', { items: [{ ...line, unitPrice: [] }] }],
    ['items.1.unitPrice', { items: [line, { ...line, unitPrice: [{ amount: 1 }] }] }],
    ['items.0.unitPrice.amount', { items: [{ ...line, unitPrice: { amount: [] } }] }],
    ['kind', { kind: 'c' }],
    ['reason', { kind: 'b' }],
    ['tags', { tags: ['x', 7] }],
    ['extra', { extra: [] }],
  ])('R29 refuses, at %s, what has another shape: %j', (path, part) => {
    for (const options of [refuse, drop]) expect(pathsOf(Order, { ...order, ...part }, options)).toContain(path);
  });

  it.each(['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__', '__defineGetter__', 'length'])(
    'R29 refuses a further member that is called %s, wherever it is, and drops it from a message',
    (name) => {
      const further = (text: string) => JSON.parse(text.replace('{', `{"${name}":{"amount":1},`)) as object;
      const outside = further(JSON.stringify(order));
      const inside = { ...order, payment: further('{"amount":2}') };
      const listed = { ...order, items: [further(JSON.stringify(line))] };
      expect(pathsOf(Order, outside)).toEqual([name]);
      expect(pathsOf(Order, inside)).toEqual([`payment.${name}`]);
      expect(pathsOf(Order, listed)).toEqual([`items.0.${name}`]);
      for (const input of [outside, inside, listed]) {
        const dropped = validate(Order, input, drop);
        if (!dropped.ok) throw new Error(JSON.stringify(dropped.faults));
        expect(Object.getPrototypeOf(dropped.value)).toBe(Order.prototype);
        expect(JSON.stringify(dropped.value)).not.toContain(name);
        expect({}).not.toHaveProperty('amount');
      }
    },
  );

  it('R29 names 20 faults and no more, be they of what kind they are', () => {
    const many = <T>(value: T) => Array.from({ length: 100 }, () => value);
    for (const items of [many([]), many({}), many('x'), many({ ...line, colour: 'red' })]) {
      expect(pathsOf(Order, { ...order, items })).toHaveLength(20);
    }
    const further = Object.fromEntries(many(0).map((_, n) => [`further${n}`, 1]));
    expect(pathsOf(Order, { ...order, ...further })).toHaveLength(20);
  });

  it.each(['constructor', 'payment', 'items', 'tags', 'kind', 'unknown'])('R29 survives any depth below %s', (name) => {
    const deep = `{"${name}":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
    const objects = `{"${name}":${'{"payment":'.repeat(5_000)}0${'}'.repeat(5_000)}}`;
    for (const text of [deep, objects]) {
      const input = { ...order, ...(JSON.parse(text) as object) };
      expect(pathsOf(Order, input)[0]).toMatch(new RegExp(`^${name}`));
      validate(Order, input, drop);
    }
  });

  it('R45 knows no list without a bound', () => {
    class Crowd {
      @ValidateNested({ each: true }) @Type(() => Money) members: Money[];
    }
    class Words {
      @IsString({ each: true }) words: string[];
    }
    class Numbers {
      @IsArray() numbers: number[];
    }
    expect(() => validate(Crowd, { members: [] }, refuse)).toThrow('Crowd.members is a list and needs @ArrayMaxSize');
    expect(() => validate(Words, { words: [] }, refuse)).toThrow('Words.words is a list and needs @ArrayMaxSize');
    expect(() => validate(Numbers, { numbers: [] }, refuse)).toThrow(
      'Numbers.numbers is a list and needs @ArrayMaxSize',
    );
  });

  it('R45 says the bound of a list before anything of its members', () => {
    const items = Array.from({ length: 101 }, () => ({ sku: 1 }));
    expect(validate(Order, { ...order, items }, refuse)).toEqual({
      ok: false,
      faults: [{ path: 'items', message: 'items must contain no more than 100 elements' }],
    });
  });

  it('R45 says the bound of a list of plain values before anything of them', () => {
    const tags = Array.from({ length: 51 }, () => 7);
    expect(validate(Order, { ...order, tags }, refuse)).toEqual({
      ok: false,
      faults: [{ path: 'tags', message: 'tags must contain no more than 50 elements' }],
    });
  });

  describe('R45 looks at little of a body of the worst shape', () => {
    const many = (value: unknown, count = 10_000) => Array.from({ length: count }, () => value);
    const wide = Object.fromEntries(many(0).map((_, n) => [`further${n}`, n]));
    const worst: [string, object][] = [
      ['a list of nothing', { items: many({}) }],
      ['a list of lists', { items: many([{}, {}]) }],
      ['a list in a list', { items: [many({})] }],
      ['a list of texts', { items: many('x') }],
      ['a list for an object', { payment: many({}) }],
      ['a list of more texts than allowed', { tags: many('x') }],
      ['a list for a text', { kind: many({}) }],
      ['an object for a text', { kind: wide }],
      ['many members', wide],
      ['many members of an object', { payment: wide }],
      ['many members of each', { items: many(Object.fromEntries(Object.entries(wide).slice(0, 200)), 100) }],
      ['members of a deep object', { extra: 7, items: many({ unitPrice: wide }, 100) }],
    ];

    it.each(worst)('R45 %s', (_, part) => {
      for (const options of [refuse, drop]) {
        const { counted, visits } = countVisits({ ...order, ...part });
        const result = validate(Order, counted, options);
        expect(result.ok ? 0 : result.faults.length).toBeLessThanOrEqual(20);
        expect(visits()).toBeLessThan(1_000);
      }
    });

    it('R45 whatever it is', () => {
      const anything = fc.anything({ maxDepth: 3, maxKeys: 100, size: 'medium' });
      fc.assert(
        fc.property(fc.record({ items: anything, payment: anything, kind: anything, further: anything }), (part) => {
          const { counted, visits } = countVisits({ ...order, ...part });
          validate(Order, counted, refuse);
          expect(visits()).toBeLessThan(5_000);
        }),
        { numRuns: 100 },
      );
    });
  });

  it('lets nothing through that class-validator refuses, though it asks the validators by itself', () => {
    const met = { right: 0, wrong: 0 };
    fc.assert(
      fc.property(orders, (input) => {
        const result = validate(Order, input, refuse);
        met[result.ok ? 'right' : 'wrong']++;
        if (!result.ok) return;
        const instance = plainToInstance(Order, input);
        expect(validateSync(instance, { whitelist: true, forbidNonWhitelisted: true })).toEqual([]);
        expect(result.value).toEqual(instance);
      }),
      { numRuns: 2_000 },
    );
    // If there were fewer cases of either kind, this test would prove little.
    expect(Math.min(met.right, met.wrong)).toBeGreaterThan(100);
  });

  it('leaves to class-validator what it does not know itself: rules that wait, and classes without any', () => {
    class Slow {
      @Validate(NeverInTime) name: string;
    }
    class Empty {}
    expect(validate(Slow, { name: 'a' }, refuse).ok).toBe(slowIsRight());
    expect(validate(Empty, {}, refuse).ok).toBe(false);

    function slowIsRight(): boolean {
      return validateSync(plainToInstance(Slow, { name: 'a' })).length === 0;
    }
  });

  it('R29 becomes a problem with a stable code and the faults as an extension', () => {
    const problem = validationFailed([{ path: 'a.b', message: 'must be a string' }]);
    expect(problem.body).toMatchObject({
      status: 400,
      code: 'validation_failed',
      title: 'Validation failed',
      detail: 'a.b: must be a string',
      errors: [{ path: 'a.b', message: 'must be a string' }],
    });
  });
});

/** Values that are mostly right. Any part of an order may be something else. */
function maybe<T>(right: fc.Arbitrary<T>): fc.Arbitrary<unknown> {
  const wrong = fc.constantFrom<unknown>(null, undefined, 7, '', 'x', [], {}, true, 1.5);
  return fc.oneof({ weight: 40, arbitrary: right }, { weight: 1, arbitrary: wrong });
}

/** Counts how often a member of the value, or of a part of it, is read. */
function countVisits<T extends object>(value: T): { counted: T; visits: () => number } {
  let visits = 0;
  const wrap = (part: unknown): unknown =>
    typeof part !== 'object' || part === null
      ? part
      : new Proxy(part, {
          get: (target, name) => {
            visits++;
            // What cannot be changed has to be answered as it is.
            const own = Object.getOwnPropertyDescriptor(target, name);
            const read: unknown = Reflect.get(target, name);
            return own && !own.configurable && !own.writable ? read : wrap(read);
          },
        });
  return { counted: wrap(value) as T, visits: () => visits };
}
