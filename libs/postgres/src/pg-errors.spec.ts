import { DatabaseAwayError, type Fault, faultOf, isCommon, isPassing, leavesSessionGood } from './pg-errors';

const coded = (code: string, more: object = {}) => Object.assign(new Error('in any language'), { code, ...more });

/** Each code that decides something, and what it decides. */
const table: [Fault, string[]][] = [
  ['race', ['40001', '40P01']],
  ['busy', ['55P03', '57014']],
  [
    'session',
    ['25006', '25P02', '25P01', '25001', '25P03', '25P04', '26000', '24000', '2D000', '34000', '3B001', '40003'],
  ],
  [
    'away',
    [
      ...['08000', '08001', '08003', '08004', '08006', '08P01', '28000', '28P01', '3D000', '55000'],
      ...[
        '53000',
        '53100',
        '53200',
        '53300',
        '53400',
        '57P01',
        '57P02',
        '57P03',
        '57P04',
        '57P05',
        '58000',
        '58030',
        'F0000',
      ],
      ...[
        'ECONNREFUSED',
        'ECONNRESET',
        'ECONNABORTED',
        'EPIPE',
        'ETIMEDOUT',
        'EHOSTUNREACH',
        'EHOSTDOWN',
        'ENETUNREACH',
      ],
      ...[
        'ENETDOWN',
        'ENETRESET',
        'EADDRNOTAVAIL',
        'ENOTFOUND',
        'EAI_AGAIN',
        'EAI_FAIL',
        'EAI_NODATA',
        'EMFILE',
        'ENFILE',
      ],
      ...[
        'ENOBUFS',
        'ENOMEM',
        'ENOSPC',
        'EDQUOT',
        'EIO',
        'EROFS',
        'EPROTO',
        'CERT_HAS_EXPIRED',
        'SELF_SIGNED_CERT_IN_CHAIN',
      ],
      ...[
        'DEPTH_ZERO_SELF_SIGNED_CERT',
        'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
        'ERR_TLS_CERT_ALTNAME_INVALID',
        'ERR_SSL_WRONG_VERSION_NUMBER',
      ],
      ...['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_SOCKET'],
    ],
  ],
  [
    'request',
    [
      '21000',
      '22001',
      '22003',
      '22021',
      '22P02',
      '22P05',
      '23502',
      '23503',
      '23505',
      '23514',
      '44000',
      '54000',
      '54001',
    ],
  ],
  [
    'unknown',
    ['0A000', '40002', '42501', '42703', '42883', '42P01', '42P18', '55006', 'P0001', 'XX000', 'XX001', '99999'],
  ],
];

describe('R44 the kind of a failure, by its code', () => {
  const rows = table.flatMap(([fault, codes]) => codes.map((code) => [code, fault] as const));

  it.each(rows)('R44 %s is %s', (code, fault) => {
    expect(faultOf(coded(code))).toBe(fault);
  });

  it.each(rows)('R44 %s is %s also as the cause of another error', (code, fault) => {
    expect(faultOf(new Error('could not save', { cause: coded(code) }))).toBe(fault);
  });

  it('R44 names no code twice', () => {
    expect(new Set(rows.map(([code]) => code)).size).toBe(rows.length);
  });

  it('R44 a plan that does not fit its table any more is the fault of the session, in any language', () => {
    expect(faultOf(coded('0A000', { routine: 'RevalidateCachedQuery' }))).toBe('session');
  });

  it.each([
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'timeout exceeded when trying to connect',
    'Client was closed and is not queryable',
  ])('R44 the driver’s own “%s” is away', (message) => expect(faultOf(new Error(message))).toBe('away'));

  it('R44 whatever prevents a connection is away', () => {
    expect(faultOf(new DatabaseAwayError('SASL: the password is wrong'))).toBe('away');
  });

  it.each([new Error('a bug'), coded('ERR_INVALID_ARG_TYPE'), coded('ENOENT'), 'a text', undefined, null, { code: 5 }])(
    'R44 %p is none of the database',
    (error) => expect(faultOf(error)).toBeUndefined(),
  );

  it('R44 an error that is its own cause does not hold anybody up', () => {
    const error = new Error('a snake');
    error.cause = error;
    expect(faultOf(error)).toBeUndefined();
  });
});

describe('R44 what follows from the kind of a failure', () => {
  it.each<[Fault, { passing: boolean; common: boolean; good: boolean }]>([
    ['race', { passing: true, common: false, good: true }],
    ['busy', { passing: true, common: false, good: true }],
    ['session', { passing: true, common: true, good: false }],
    ['away', { passing: true, common: true, good: false }],
    ['request', { passing: false, common: false, good: true }],
    ['unknown', { passing: false, common: false, good: false }],
  ])('R44 for %s', (fault, expected) => {
    const [, codes] = table.find(([kind]) => kind === fault)!;
    const error = coded(codes[0]!);
    expect({ passing: isPassing(error), common: isCommon(error), good: leavesSessionGood(error) }).toEqual(expected);
  });
});
