import 'reflect-metadata';
import { Type } from 'class-transformer';
import { IsInt, IsString, ValidateNested } from 'class-validator';
import { validate, validationFailed } from './validate';

class Line {
  @IsString() sku: string;
  @IsInt() quantity: number;
}
class Cart {
  @ValidateNested({ each: true }) @Type(() => Line) lines: Line[];
}

const refuse = { unknownProperties: 'refuse' } as const;

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
    expect(result.ok ? [] : result.faults).toEqual([{ path: '', message: 'must not be nested deeper than 32 levels' }]);
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
