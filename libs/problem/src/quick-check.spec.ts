import 'reflect-metadata';
import { plainToInstance, Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsDefined,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  IsUUID,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateIf,
  ValidateNested,
  validateSync,
} from 'class-validator';
import fc from 'fast-check';
import { quickCheck } from './quick-check';

class Line {
  @Matches(/^[a-z]{1,3}$/) sku: string;
  @IsInt() @Min(1) @Max(5) quantity: number;
}
class Source {
  @IsString() @MinLength(1) @MaxLength(5) token: string;
}
class Order {
  @IsUUID() id: string;
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(3)
  @ArrayUnique((line: Line) => line?.sku)
  @ValidateNested({ each: true })
  @Type(() => Line)
  lines: Line[];
  @IsDefined() @ValidateNested() @Type(() => Source) source: Source;
  @IsOptional() @IsString({ each: true }) tags?: string[];
  @IsIn(['a', 'b']) kind = 'a';
  @ValidateIf((order: Order) => order.kind === 'b') @IsString() reason?: string;
  @IsOptional() @IsObject() extra?: Record<string, unknown>;
}
class Transformed {
  @Transform(({ value }) => Number(value)) @IsInt() n: number;
}

/** The long way round. */
const isValid = (input: object): boolean =>
  validateSync(plainToInstance(Order, input), { whitelist: true, forbidNonWhitelisted: true }).length === 0;

const maybe = <T>(right: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 40, arbitrary: right },
    { weight: 1, arbitrary: fc.constantFrom(null, undefined, 7, '', 'x', [], {}, true, 1.5) },
  );
const line = maybe(
  fc.record({
    sku: maybe(fc.constantFrom('a', 'b', 'c', 'abc', 'ABCD')),
    quantity: maybe(fc.integer({ min: 1, max: 6 })),
  }),
);
// In free objects the library drops names that every object inherits, such as valueOf; the short way keeps them.
const extraName = fc.string().filter((name) => !(name in {}));
const order = fc.record(
  {
    id: maybe(fc.uuid()),
    lines: maybe(fc.array(line, { minLength: 0, maxLength: 4 })),
    source: maybe(fc.record({ token: maybe(fc.string({ maxLength: 7 })) }, { requiredKeys: [] })),
    tags: maybe(fc.array(maybe(fc.string()))),
    kind: maybe(fc.constantFrom('a', 'b')),
    reason: maybe(fc.string()),
    extra: maybe(fc.dictionary(extraName, fc.integer())),
  },
  { requiredKeys: ['id', 'lines', 'source'] },
);

const good = { id: '0190d7a0-0000-7000-8000-000000000000', lines: [{ sku: 'a', quantity: 1 }], source: { token: 't' } };

describe('quickCheck', () => {
  it('answers instances, nested ones and defaults included', () => {
    const checked = quickCheck(Order, good);
    expect(checked).toBeInstanceOf(Order);
    expect(checked?.lines[0]).toBeInstanceOf(Line);
    expect(checked?.source).toBeInstanceOf(Source);
    expect(checked?.kind).toBe('a');
  });

  it('lets nothing through that the library refuses', () => {
    let passed = 0;
    fc.assert(
      fc.property(order, (input) => {
        if (!quickCheck(Order, input)) return;
        passed++;
        expect(isValid(input)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
    expect(passed).toBeGreaterThan(100);
  });

  it('answers what the long way answers', () => {
    fc.assert(
      fc.property(order, (input) => {
        const checked = quickCheck(Order, input);
        if (checked) expect(checked).toEqual(plainToInstance(Order, input));
      }),
    );
  });

  it('is taken for right input, so that it is worth having', () => {
    const rights = fc.record({ id: fc.uuid(), lines: fc.constant(good.lines), source: fc.constant(good.source) });
    fc.assert(fc.property(rights, (input) => quickCheck(Order, input) !== undefined));
  });

  it.each([
    ['an unknown property', { ...good, colour: 'red' }],
    ['an own __proto__', JSON.parse('{"__proto__":{"admin":true},"id":"x"}') as object],
    ['a missing nested object', { ...good, source: undefined }],
  ])('leaves %s to the long way', (_, input) => {
    expect(quickCheck(Order, input)).toBeUndefined();
  });

  it('leaves classes with transformations to the long way', () => {
    expect(quickCheck(Transformed, { n: '1' })).toBeUndefined();
  });
});
