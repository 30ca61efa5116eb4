import 'reflect-metadata';
import { type Problem } from '@shop/problem';
import { validate } from '@shop/validation';
import { parseApiKeys } from './api-keys';
import { etagOf, requireMatch, requireNone, unlessModified } from './etag';
import { PageQuery, readPage } from './page.query';

const statusOf = (work: () => void): number => {
  try {
    work();
    return 200;
  } catch (error) {
    return (error as Problem).getStatus();
  }
};

describe('R28 versions', () => {
  it.each<[string | undefined, number | undefined, number]>([
    [etagOf(3), 3, 200],
    ['"1", "3"', 3, 200],
    ['"1",,"3",', 3, 200],
    [' * ', 3, 200],
    [undefined, 3, 428],
    ['"2"', 3, 412],
    ['"33"', 3, 412],
    ['"3 "', 3, 400],
    ['W/"3"', 3, 412],
    ['*', undefined, 412],
    ['3', 3, 400],
    ['', 3, 400],
    [',', 3, 400],
    ['*, "3"', 3, 400],
    ['w/"3"', 3, 400],
    ['"3" "4"', 3, 400],
  ])('takes If-Match %p for an update of version %p with %d', (ifMatch, version, status) => {
    expect(statusOf(() => requireMatch(ifMatch, version))).toBe(status);
  });

  it.each<[string | undefined, boolean]>([
    ['"3"', true],
    ['W/"3"', true],
    ['"1", W/"3"', true],
    ['*', true],
    ['"2"', false],
    ['3', false],
    ['', false],
    [undefined, false],
  ])('knows that the holder of %p has version 3 or not: %p', (ifNoneMatch, known) => {
    expect(unlessModified(ifNoneMatch, '"3"')).toBe(known);
    expect(statusOf(() => requireNone(ifNoneMatch, 3))).toBe(known ? 412 : 200);
  });
});

describe('R33 pages', () => {
  const page = (rows: number[], limit: number) =>
    readPage(limit, async (most) => rows.slice(0, most), {
      item: (row) => row * 10,
      cursor: (row) => `after ${row}`,
    });

  it('show what was asked for, and lead on only where one more row was found', async () => {
    expect(await page([1, 2, 3, 4], 2)).toEqual({ items: [10, 20], next: 'after 2' });
    expect(await page([1, 2, 3], 2)).toEqual({ items: [10, 20], next: 'after 2' });
    expect(await page([1, 2], 2)).toEqual({ items: [10, 20], next: null });
    expect(await page([], 2)).toEqual({ items: [], next: null });
  });

  it('read one row more than they show, and no other', async () => {
    const read = jest.fn(async () => []);
    await readPage(50, read, { item: (row) => row, cursor: String });
    expect(read.mock.calls).toEqual([[51]]);
  });

  it.each([
    ['1', 1],
    ['200', 200],
    [undefined, 50],
    ['0', 'fault'],
    ['201', 'fault'],
    ['-1', 'fault'],
    ['1.5', 'fault'],
    ['abc', 'fault'],
    ['1e2', 'fault'],
    ['0x10', 'fault'],
    [' 5', 'fault'],
    ['', 'fault'],
    ['9'.repeat(400), 'fault'],
    [['1', '2'], 'fault'],
  ])('read limit=%p as %p', (limit, expected) => {
    const read = validate(PageQuery, limit === undefined ? {} : { limit }, { unknownProperties: 'refuse' });
    expect(read.ok ? read.value.limit : 'fault').toBe(expected);
  });
});

describe('R54 parseApiKeys', () => {
  it('keeps hashes, tenants, principals and roles', () => {
    const [plain, hashed] = parseApiKeys(`abc=t1/alice:customer, sha256:${'0'.repeat(64)}=t2/bob:customer+operator`);
    expect(plain).toEqual({
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      tenant: 't1',
      principal: 'alice',
      roles: ['customer'],
    });
    expect(hashed).toMatchObject({ sha256: '0'.repeat(64), roles: ['customer', 'operator'] });
  });

  it.each(['abc', 'abc=t1', 'abc=t1/alice', 'abc=t1/alice:king'])('refuses %p without repeating it', (text) => {
    expect(() => parseApiKeys(text)).toThrow(/entry 1 must look like/);
  });
});
