import { retryAfterMsOf } from './retry-after';

const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT';
const NOW_MS = Date.UTC(1994, 10, 6, 8, 49, 30);

describe('R43 retryAfterMsOf', () => {
  it.each<[string, string | null | undefined, string | undefined, number | undefined]>([
    ['seconds', '3', undefined, 3_000],
    ['no seconds', '0', undefined, 0],
    ['seconds beyond all patience', '9999999999', undefined, 3_600_000],
    ['a date, by the clock of the answer', DATE, 'Sun, 06 Nov 1994 08:49:35 GMT', 2_000],
    ['a date, by our clock where the answer has none', DATE, undefined, 7_000],
    ['a date, by our clock where that of the answer makes no sense', DATE, 'today', 7_000],
    ['a date that has passed', DATE, 'Sun, 06 Nov 1994 09:00:00 GMT', 0],
    ['a date beyond all patience', 'Fri, 01 Jan 2100 00:00:00 GMT', undefined, 3_600_000],
    ['no header', null, undefined, undefined],
    ['an empty header', '', undefined, undefined],
    ['a number that is none', '-1', undefined, undefined],
    ['a fraction', '1.5', undefined, undefined],
    ['a date of another form', '1994-11-06', undefined, undefined],
    ['a day that does not exist', 'Sun, 99 Nov 1994 08:49:37 GMT', undefined, undefined],
  ])('R43 reads %s', (_, retryAfter, sentAt, expected) => {
    expect(retryAfterMsOf(retryAfter, sentAt, NOW_MS)).toBe(expected);
  });
});
