import type { Problem } from '@shop/problem';
import { parseApiKeys } from './api-keys';
import { etagOf, requireMatch, unlessModified } from './etag';
import { preferredWaitMs } from './prefer';

const statusOf = (work: () => void): number => {
  try {
    work();
    return 200;
  } catch (error) {
    return (error as Problem).getStatus();
  }
};

describe('R28 versions', () => {
  it('lets an update with the current ETag pass', () => {
    expect(statusOf(() => requireMatch(etagOf(3), 3))).toBe(200);
    expect(statusOf(() => requireMatch('"1", "3"', 3))).toBe(200);
    expect(statusOf(() => requireMatch('*', 3))).toBe(200);
  });

  it('answers 428 without If-Match and 412 with an old one', () => {
    expect(statusOf(() => requireMatch(undefined, 3))).toBe(428);
    expect(statusOf(() => requireMatch('"2"', 3))).toBe(412);
  });

  it('tells what a reader already has', () => {
    expect(unlessModified('"3"', '"3"')).toBe(true);
    expect(unlessModified('W/"3"', '"3"')).toBe(true);
    expect(unlessModified('"2"', '"3"')).toBe(false);
    expect(unlessModified(undefined, '"3"')).toBe(false);
  });
});

describe('R31 preferredWaitMs', () => {
  it.each([
    ['wait=5', 5_000],
    ['respond-async, wait=10', 10_000],
    ['wait=30', 30_000],
    ['wait=31', 30_000],
    ['wait=9999', 30_000],
    [`wait=${'9'.repeat(400)}`, 30_000],
    ['Wait = "7"; because=hurry', 7_000],
    ['respond-async,wait=2,wait=9', 2_000],
    ['note="x, wait=9", wait=3', 3_000],
    ['wait=0', 0],
    ['wait=1.5', 0],
    ['wait=5s', 0],
    ['wait', 0],
    ['handling=lenient; wait=5', 0],
    ['note="x, wait=5"', 0],
    ['"wait=5', 0],
    ['', 0],
    ['wait=-1', 0],
    ['handling=lenient', 0],
    [undefined, 0],
  ])('reads %p as %p ms', (header, expected) => {
    expect(preferredWaitMs(header)).toBe(expected);
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
