/** The AsyncAPI document is the one that the contracts make, and it is sound. */
import { join } from 'node:path';
import { Parser } from '@asyncapi/parser';
import { expectKeptFile } from '@shop/testing';
import { asyncApi } from './asyncapi';

/** Errors are 0; what is above a warning is advice. */
const WARNING = 1;
const FILE = join(__dirname, '../../../docs/asyncapi.json');

describe('R63 the AsyncAPI document', () => {
  const text = `${JSON.stringify(asyncApi(), null, 2)}\n`;

  it('R63 is the one that the contracts make', () => {
    const cure = { project: '@shop/contracts', pattern: 'asyncapi', variable: 'UPDATE_ASYNCAPI' };
    expectKeptFile(FILE, text, cure);
  });

  it('R63 has no fault that a parser would find', async () => {
    const { document, diagnostics } = await new Parser().parse(text);
    const faults = diagnostics.filter(({ severity }) => Number(severity) <= WARNING);
    expect(faults.map(({ code, message, path }) => `${path.join('.')}: ${code} ${message}`)).toEqual([]);
    expect(document?.messages().length).toBeGreaterThan(0);
  });
});
