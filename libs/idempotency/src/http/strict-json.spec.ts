import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Problem } from '@shop/problem';
import fc from 'fast-check';
import { readBodiesStrictly } from './body-parser';
import { parseJson } from './strict-json';

const read = (body: string | Uint8Array) => parseJson(Buffer.from(body as string));

/** Throws again every error that is not a Problem, because it is a bug. */
function refusalOf(body: string | Uint8Array): Problem | undefined {
  try {
    read(body);
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

/** `400 some_code` of a refusal, else `taken`. */
function answerTo(body: string | Uint8Array): string {
  const refusal = refusalOf(body);
  return refusal ? `${refusal.getStatus()} ${refusal.code}` : 'taken';
}

const nested = (depth: number, open = '[', close = ']') => open.repeat(depth) + close.repeat(depth);

describe('R14 parseJson', () => {
  it('R14 answers what JSON.parse answers, whenever it answers', () => {
    const spaces = fc.constantFrom('', ' ', '\t', '\n  ');
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), spaces, (value, space) => {
        const text = JSON.stringify(value, null, space);
        if (answerTo(text) === 'taken') expect(read(text)).toEqual(JSON.parse(text));
        else if (!hasUnsafeInteger(text)) expect(text).toMatch(/"(__proto__|constructor)"/);
      }),
    );
    for (const text of ['null', ' true\r\n', '-1.5', '"a\\"b\\\\"', '[]', '{}', '{"a":"\\n","b":[{},[]]}']) {
      expect(read(text)).toEqual(JSON.parse(text));
    }
  });

  it('R29 reads or refuses any bytes, and refuses as malformed just what is no JSON in UTF-8', () => {
    const pieces = '{ } [ ] " : , \\ \\u d83d \\ude00 "a" "a": {"a": 0 1 . e - + / null \ufeff é'.split(' ');
    const almostJson = fc.array(fc.constantFrom(...pieces, ' '), { maxLength: 12 }).map((some) => some.join(''));
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      almostJson.map((text) => Buffer.from(text)),
      almostJson.map((text) => Buffer.from(`{"a":["${text}"]}`)),
      almostJson.map((text) => Buffer.from(`[{"b":${text}}]`)),
    );
    fc.assert(
      fc.property(bodies, (body) => {
        expect(answerTo(body)).toMatch(isJson(body) ? /^(taken|400 json_\w+)$/ : /^400 malformed_request$/);
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    '{',
    '{"a":1',
    '[1,]',
    "{'a':1}",
    '{"a" 1}',
    'undefined',
    '01',
    '1.',
    '1e',
    '-',
    '"\n"',
    '"\\x"',
    'NaN',
    ' ',
  ])('R29 refuses what is no JSON: %j', (text) => expect(answerTo(text)).toBe('400 malformed_request'));

  it('R29 calls it malformed, whatever else is in it', () => {
    for (const text of ['{"a":1,"a":1', '1234567890123456e', '"\\ud800', '}'.repeat(300) + '['.repeat(300), '"\\']) {
      expect([text, answerTo(text)]).toEqual([text, '400 malformed_request']);
    }
    expect(refusalOf('{')?.body.detail).toBe('the request cannot be read; is the body valid JSON?');
  });

  it('R29 refuses an empty body, and says so', () => {
    expect(answerTo('')).toBe('400 malformed_request');
    expect(refusalOf('')?.body.detail).toContain('the body is empty');
  });

  it.each([
    ['a lone byte', [0xff]],
    ['a character that is cut off', [0xe2, 0x82]],
    ['a longer spelling than needed', [0xc0, 0xaf]],
    ['half a surrogate pair', [0xed, 0xa0, 0x80]],
  ])('R14 refuses bytes that are not UTF-8: %s', (_, bytes) => {
    expect(answerTo(Buffer.from([0x22, ...bytes, 0x22]))).toBe('400 malformed_request');
  });

  it('R14 refuses a byte order mark at the beginning, and says so, and takes one within a text', () => {
    expect(answerTo('\ufeff{}')).toBe('400 malformed_request');
    expect(refusalOf('\ufeff{}')?.body.detail).toContain('byte order mark');
    expect(read('"\ufeff"')).toBe('\ufeff');
  });

  it.each([
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"a":', '}]'],
  ])('R29 takes 200 levels of %s and no more', (open, close) => {
    const levels = open.startsWith('[{') ? 100 : 200;
    const body = (depth: number) => `${open.repeat(depth)}0${close.repeat(depth)}`;
    expect(answerTo(body(levels))).toBe('taken');
    expect(answerTo(body(levels + 1))).toBe('400 body_too_deep');
  });

  it('R29 stays well with a body that only goes down', () => {
    for (const size of [64 * 1_024, 4_000_000]) {
      expect(answerTo('['.repeat(size))).toBe('400 malformed_request');
      expect(answerTo('{"a":'.repeat(size))).toBe('400 malformed_request');
      expect(answerTo(nested(size / 2))).toBe('400 body_too_deep');
      expect(answerTo(`${'{"a":'.repeat(size / 8)}0${'}'.repeat(size / 8)}`)).toBe('400 body_too_deep');
    }
  });

  it('R29 stays well with depth that hides behind a repeated key, of which JSON.parse keeps the other one', () => {
    expect(answerTo(`{"a":${nested(32_000)},"a":1}`)).toBe('400 json_key_repeated');
  });

  it.each(['0', '0.1', '1e5', 'null', '"a"', '[]', '{}', '"\\u0061"'])(
    'R45 takes 2,000 values and no more, with the list or the object around them: %s',
    (part) => {
      const list = (length: number) => `[${Array(length).fill(part).join()}]`;
      const object = (length: number) => `{${Array.from({ length }, (_, n) => `"k${n}":${part}`).join()}}`;
      for (const body of [list, object]) {
        expect(answerTo(body(1_999))).toBe('taken');
        for (const length of [2_000, 10_000]) expect(answerTo(body(length))).toBe('400 body_too_many_values');
      }
    },
  );

  it('R45 counts the values of all levels', () => {
    const rows = (length: number) => `[${Array(length).fill('{"a":[1]}').join()}]`;
    expect(answerTo(rows(666))).toBe('taken');
    expect(answerTo(rows(667))).toBe('400 body_too_many_values');
  });

  it('R29 reads long texts, and many repeated keys, in a time that grows with their length', () => {
    expect(answerTo(`{${Array(100_000).fill('"a":0.1').join()}}`)).toBe('400 json_key_repeated');
    for (const text of ['\\"'.repeat(500_000), 'a'.repeat(4_000_000)])
      expect(answerTo(JSON.stringify(text))).toBe('taken');
  });

  it('R29 counts levels, not brackets', () => {
    expect(answerTo(`[${Array(300).fill('{"a":[]}').join()}]`)).toBe('taken');
    expect(answerTo(JSON.stringify('['.repeat(300)))).toBe('taken');
    expect(answerTo(JSON.stringify(['\\"'.repeat(300), '"['.repeat(300)]))).toBe('taken');
  });
});

describe('R14 a key', () => {
  it.each([
    '{"a":1,"a":2}',
    '{"a":1,"a":1}',
    '{"a":1,"b":{},"\\u0061":2}',
    '{"":1,"":1}',
    '{"1":1,"1":1}',
    '[0,{"x":{"b":[],"c":2,"b":{}}}]',
    '{"a:":"{","a:":"}"}',
    '{"é":1,"\\u00E9":1}',
    '{"a":[],"a":{}}',
    '{"a":[0],"a":{"0":0}}',
    '{ "a" : {"a":1} ,\n"a"\t: 1 }',
  ])('R14 refuses a key that stands twice in one object: %s', (text) => {
    expect(answerTo(text)).toBe('400 json_key_repeated');
  });

  it.each([
    '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}',
    '{"a":1,"A":1,"a ":1,"\\u0061\\u0061":1}',
    '{"a":"a","b":"\\"b\\":","c":"{\\"c\\":1}"}',
    '{"a\\\\":1,"a":1}',
    '{"é":1,"e\u0301":1}',
  ])('R14 takes keys that only look alike: %s', (text) => {
    expect(read(text)).toEqual(JSON.parse(text));
  });

  it('R14 is refused if and only if its own object has it before', () => {
    fc.assert(
      fc.property(tree(), (root) => {
        expect(answerTo(printed(root))).toBe(repeatsKey(root) ? '400 json_key_repeated' : 'taken');
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    '{"__proto__":{"isAdmin":true}}',
    '{"__proto__":null}',
    '{"\\u005f_proto_\\u005F":1}',
    '[{"a":{"b":[{"__proto__":1}]}}]',
    '{"constructor":{"prototype":{}}}',
    '{"c\\u006fnstructor":{"a":1,"prototyp\\u0065":null}}',
    '{"a":[{"constructor":{"prototype":1}}]}',
  ])('R29 refuses a key that reaches for the prototype: %s', (text) => {
    expect(answerTo(text)).toBe('400 json_key_forbidden');
  });

  it.each([
    '{"constructor":1,"prototype":1}',
    '{"constructor":null}',
    '{"constructor":"prototype"}',
    '{"constructor":{"name":"x"}}',
    '{"constructor":[{"prototype":1}]}',
    '{"prototype":{"constructor":1},"a":{"prototype":1}}',
    '{"a":"__proto__","__proto":1,"b":"\\"__proto__\\":1"}',
    '{"toString":1,"hasOwnProperty":2,"valueOf":{}}',
  ])('R29 takes a key that reaches for nothing: %s', (text) => {
    expect(read(text)).toEqual(JSON.parse(text));
  });
});

describe('R14 a text', () => {
  it.each([
    '"\\ud800"',
    '"a\\uDFFFb"',
    '"\\ude00\\ud83d"',
    '"\\ud83d\\ud83d\\ude00"',
    '"\\ud83d x \\ude00"',
    '[1,{"a":["ok","\\uD83D"]}]',
    '{"\\ud83d":1}',
    '{"a":{"b\\ude00":[]}}',
    '"\\ud83d\\\\ude00"',
  ])('R14 refuses half of a surrogate pair: %s', (text) => {
    expect(answerTo(text)).toBe('400 json_text_not_unicode');
  });

  it.each(['"\\ud83d\\ude00"', '"\u{1f600}"', '{"\\ud83d\\uDE00":"\\u00e9\\n"}', '"\\\\ud800"', '"\\ufffd\ufffd"'])(
    'R14 takes whole characters: %s',
    (text) => {
      expect(read(text)).toEqual(JSON.parse(text));
    },
  );
});

describe('R14 a number', () => {
  it.each([
    '12345678901234567890',
    '9007199254740993',
    '-9007199254740993',
    '1e400',
    '-1e400',
    '1e-400',
    '1e99999999999999999999',
    '1e-99999999999999999999',
    '0.1000000000000000055511151231257827',
    '0.30000000000000001',
    '1.0000000000000000001',
    '4.94e-324',
    '1.7976931348623159e308',
    '123456789012345678.0',
    '12345678901234567890e3',
    '9007199254740992',
    '-9007199254740992',
    '9007199254740992.0',
    '1e21',
    '1e23',
    '100000000000000000000000',
    '1.7976931348623157e308',
  ])('R14 refuses a number that a double does not hold, and a whole one that it need not hold: %s', (token) => {
    for (const text of [token, `[${token}]`, `{"a": ${token} }`, `{"é":[0,${token},1]}`]) {
      expect(answerTo(text)).toBe('400 json_number_not_exact');
    }
    expect(answerTo(`"${token}"`)).toBe('taken');
  });

  it.each([
    '0',
    '-0',
    '0.0',
    '0e999',
    '-0.000e-999',
    '0.00000000000000000000',
    '1',
    '1.0',
    '1.10',
    '1e2',
    '1E+2',
    '100e-2',
    '10e-1',
    '1e0',
    '0.1',
    '-0.5e-7',
    '9007199254740991',
    '0.30000000000000004',
    '5e-324',
    '1.00000000000000000000',
    '0.00000000000000000000000001',
    '123456789012345',
    '0.1234567890123',
  ])('R14 takes a number that a double holds: %s', (token) => {
    for (const text of [token, `[${token}]`, `{"a": ${token} }`]) expect(read(text)).toEqual(JSON.parse(text));
  });

  it('R14 is taken if and only if its double, printed, is the same decimal and no whole number beyond 2^53 - 1', () => {
    const digits = (maxLength: number) => fc.string({ unit: fc.constantFrom(...'0012345678999'), maxLength });
    const decimals = fc.record({
      sign: fc.constantFrom('', '-'),
      whole: fc.oneof(digits(3), digits(22)).map((some) => some.replace(/^0+/, '') || '0'),
      fraction: fc.oneof(fc.constant(''), digits(3), digits(22)).map((some) => some && `.${some}`),
      exponent: fc.option(fc.oneof(fc.integer({ min: -30, max: 30 }), fc.integer({ min: -350, max: 350 }))),
    });
    const met = new Map<string, number>();
    fc.assert(
      fc.property(decimals, ({ sign, whole, fraction, exponent }) => {
        const token = `${sign}${whole}${fraction}${exponent === null ? '' : `e${exponent}`}`;
        const answer = answerTo(token);
        met.set(answer, (met.get(answer) ?? 0) + 1);
        const double = Number(token);
        const isSafe = !Number.isInteger(double) || Number.isSafeInteger(double);
        const isSame = isSafe && isSameDecimal(token, String(double));
        expect(answer).toBe(isSame ? 'taken' : '400 json_number_not_exact');
      }),
      { numRuns: 3_000 },
    );
    expect(Math.min(...met.values())).toBeGreaterThan(100);
  });

  it('R29 is read in time, however long it is', () => {
    const zeros = '0'.repeat(1_000_000);
    expect(answerTo(`1.${zeros}`)).toBe('taken');
    expect(answerTo(`0.${zeros}1`)).toBe('400 json_number_not_exact');
    expect(answerTo(`1${zeros}1`)).toBe('400 json_number_not_exact');
  });
});

describe('R29 a refusal', () => {
  it('R29 repeats nothing of the body', () => {
    const secret = 'secret4242424242424242';
    const bodies = [
      `{"${secret}":1,"${secret}":2}`,
      `{"a":{"__proto__":"${secret}"}}`,
      `{"${secret}":"\\ud800"}`,
      '{"a":4242424242424242424242}',
      `{"a":"${secret}`,
      `\ufeff"${secret}"`,
    ];
    for (const body of bodies) {
      const refusal = refusalOf(body)!;
      expect(JSON.stringify(refusal.body)).not.toMatch(/4242/);
      expect(`${refusal.message} ${String(refusal.cause)}`).not.toMatch(/4242/);
    }
  });
});

describe('R14 readBodiesStrictly', () => {
  const adapter = new FastifyAdapter({ bodyLimit: 100 });
  const fastify = adapter.getInstance();
  const errors: unknown[] = [];

  beforeAll(async () => {
    // As in a service: Nest's parsers and the routes are registered before our parser.
    adapter.registerParserMiddleware();
    fastify.route({
      method: ['GET', 'POST', 'PATCH', 'DELETE'],
      url: '/',
      handler: ({ body }) => ({ body: body ?? 'none' }),
    });
    fastify.setErrorHandler((error: { statusCode?: number }, _, reply) => {
      errors.push(error);
      return reply.status(error.statusCode ?? 400).send();
    });
    readBodiesStrictly(fastify);
    await fastify.ready();
  });
  afterAll(() => fastify.close());

  type Method = 'POST' | 'PATCH' | 'GET' | 'DELETE';
  const send = async (body: string, contentType = 'application/json', method: Method = 'POST') => {
    errors.length = 0;
    const headers = contentType ? { 'content-type': contentType } : {};
    const response = await fastify.inject({ method, url: '/', headers, ...(body && { payload: body }) });
    const [error] = errors;
    return error instanceof Problem ? `${error.getStatus()} ${error.code}` : `${response.statusCode} ${response.body}`;
  };

  it('R14 hands each refusal of parseJson to the error handler, which is the filter of a service', async () => {
    expect(await send('{"a":1,"a":2}')).toBe('400 json_key_repeated');
    expect(await send('{"a":')).toBe('400 malformed_request');
    expect(await send('')).toBe('400 malformed_request');
    expect(await send('{"a":1}')).toBe('200 {"body":{"a":1}}');
  });

  it.each(['utf-8', 'UTF-8', '"utf-8"', 'utf8', 'utf-8; version=1'])('R14 takes the charset %s', async (charset) => {
    expect(await send('"é"', `application/json; charset=${charset}`)).toBe('200 {"body":"é"}');
  });

  it.each(['iso-8859-1', '"UTF-16"', 'utf-80', 'utf-8; charset=latin1', ''])(
    'R14 refuses the charset "%s"',
    async (charset) => {
      expect(await send('{}', `application/json;charset=${charset}`)).toBe('415 unsupported_media_type');
      expect(await send('{}', `application/json; version=1 ; CharSet=${charset}`)).toBe('415 unsupported_media_type');
    },
  );

  it('R14 reads a merge patch as strictly, and only where something is patched', async () => {
    const type = 'application/merge-patch+json';
    expect(await send('{"a":null}', type, 'PATCH')).toBe('200 {"body":{"a":null}}');
    expect(await send('{"a":null}', 'application/json', 'PATCH')).toBe('200 {"body":{"a":null}}');
    expect(await send('{"a":1,"a":2}', `${type}; charset=utf-8`, 'PATCH')).toBe('400 json_key_repeated');
    expect(await send('{}', `${type}; charset=latin1`, 'PATCH')).toBe('415 unsupported_media_type');
    expect(await send('{"a":null}', type, 'POST')).toBe('415 unsupported_media_type');
    expect(await send('[]', 'application/json-patch+json', 'PATCH')).toMatch(/^415 /);
  });

  it('R29 leaves the limit of the body, and routes without a body, as they are', async () => {
    expect(await send(`"${'a'.repeat(98)}"`)).toMatch(/^200 /);
    expect(await send(`"${'a'.repeat(99)}"`)).toMatch(/^413 /);
    for (const method of ['GET', 'DELETE', 'POST'] as const)
      expect(await send('', '', method)).toBe('200 {"body":"none"}');
    expect(await send('', 'application/json', 'GET')).toBe('200 {"body":"none"}');
  });
});

function hasUnsafeInteger(text: string): boolean {
  let found = false;
  JSON.parse(text, (_, part) => (found ||= Number.isInteger(part) && !Number.isSafeInteger(part)));
  return found;
}

/** Uses another decoder, which keeps a byte order mark in the text, so that JSON.parse refuses it. */
function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

/** A document as its author wrote it. An object in it may have the same key twice. */
type Tree = string | { list: Tree[] } | { members: [key: string, value: Tree][] };

function tree(): fc.Arbitrary<Tree> {
  const key = fc.constantFrom('"a"', '"\\u0061"', '"b"', '"b:"', '"\\""', '"1"');
  return fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom('0', '"{\\"a\\":"', '"a"', 'null', '":"'),
      fc.record({ list: fc.array(tie('tree'), { maxLength: 3 }) }),
      fc.record({ members: fc.array(fc.tuple(key, tie('tree')), { maxLength: 3 }) }),
    ),
  })).tree;
}

function printed(node: Tree): string {
  if (typeof node === 'string') return node;
  if ('list' in node) return `[${node.list.map(printed).join()}]`;
  return `{${node.members.map(([key, value]) => `${key} :${printed(value)}`).join()}}`;
}

function repeatsKey(node: Tree): boolean {
  if (typeof node === 'string') return false;
  if ('list' in node) return node.list.some(repeatsKey);
  const keys = node.members.map(([key]) => JSON.parse(key) as string);
  return new Set(keys).size < keys.length || node.members.some(([, value]) => repeatsKey(value));
}

/** Compares with whole numbers of any size, so it works in another way than the tested code. */
function isSameDecimal(one: string, other: string): boolean {
  const [a, b] = [one, other].map((token) => {
    const [, whole, fraction = '', exponent = '0'] = /^-?(\d+)(?:\.(\d+))?(?:e(.+))?$/.exec(token) ?? [];
    return whole === undefined
      ? undefined
      : { digits: BigInt(whole + fraction), power: Number(exponent) - fraction.length };
  });
  if (!a || !b) return false;
  const least = Math.min(a.power, b.power);
  return a.digits * 10n ** BigInt(a.power - least) === b.digits * 10n ** BigInt(b.power - least);
}
