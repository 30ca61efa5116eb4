/** Merge patches: the examples of RFC 7396, what can be said about all of them, and what they may make. */
import 'reflect-metadata';
import type { Problem } from '@shop/problem';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Min, ValidateNested } from 'class-validator';
import * as fc from 'fast-check';
import { mergePatch, patched } from './merge-patch';

describe('R28 a merge patch', () => {
  it.each<[unknown, unknown, unknown]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('makes of %j with %j what the RFC says', (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });

  const json = fc.jsonValue({ maxDepth: 3 });

  it('changes neither what is patched nor the patch, and the same patch again changes nothing', () => {
    fc.assert(
      fc.property(json, json, (target, patch) => {
        const before = JSON.stringify([target, patch]);
        const once = mergePatch(target, patch);
        expect(JSON.stringify([target, patch])).toBe(before);
        expect(mergePatch(once, patch)).toEqual(once);
      }),
    );
  });

  it('leaves all that it does not mention as it is', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), fc.dictionary(fc.string(), json), (target, patch) => {
        const result = mergePatch(target, patch) as Record<string, unknown>;
        for (const name of Object.keys(target)) {
          if (!Object.hasOwn(patch, name)) expect(result[name]).toEqual(target[name]);
        }
      }),
    );
  });

  it('makes members of names that every object inherits, and no prototype', () => {
    const patch = JSON.parse('{"__proto__":{"role":"operator"},"constructor":{"a":1}}') as object;
    const result = mergePatch({}, patch) as object;
    expect(Object.keys(result)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(result).not.toHaveProperty('role');
    expect({}).not.toHaveProperty('role');
  });
});

class Address {
  @IsString() city: string;
  @IsOptional() @IsString() street?: string;
}
class Person {
  @IsString() name: string;
  @IsOptional() @IsInt() @Min(0) age?: number;
  @IsOptional() @ValidateNested() @Type(() => Address) address?: Address;
}

describe('R29 what a patch makes', () => {
  const person: Person = { name: 'Ada', age: 36, address: { city: 'London', street: 'St James’s Square' } };

  it('is checked as a whole, so that null may take away what is optional', () => {
    expect(patched(Person, person, { age: null, address: { street: null } })).toEqual({
      name: 'Ada',
      address: { city: 'London' },
    });
    expect(patched(Person, { ...person, age: undefined }, {})).toBeInstanceOf(Person);
  });

  it.each<[unknown, string]>([
    [{ name: null }, 'name'],
    [{ age: -1 }, 'age'],
    [{ address: { city: null } }, 'address.city'],
    [{ address: 'London' }, 'address'],
    [{ colour: 'red' }, 'colour'],
    [[], ''],
    [null, ''],
    ['text', ''],
  ])('is refused after %j, at "%s"', (patch, path) => {
    const refusal = refusalOf(() => patched(Person, person, patch));
    expect(refusal).toMatchObject({ status: 400, code: 'validation_failed', errors: [{ path }] });
  });
});

function refusalOf(work: () => unknown): object {
  try {
    return { made: work() };
  } catch (error) {
    return (error as Problem).body;
  }
}
