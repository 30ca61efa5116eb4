/** The key for the neighbours, from a variable or a file, and what production does not take. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IsOptional } from 'class-validator';
import { Count, HttpUrl, readEnvironment, ServiceEnvironment } from '../environment';
import { IsNeighbourKey, neighbourKeyIn, unfitNeighbourKey } from './neighbour-key';

class AskingEnvironment extends ServiceEnvironment {
  @IsOptional() @HttpUrl() INVENTORY_URL?: string;
  @IsOptional() @HttpUrl() PAYMENT_URL?: string;
  @IsNeighbourKey() NEIGHBOUR_KEY?: string;
  @Count() NEIGHBOUR_TIMEOUT_MS = 300;
}

const GOOD = 'a-key-of-enough-characters';
const folder = mkdtempSync(join(tmpdir(), 'shop-key-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(content: string): string {
  const file = join(folder, 'key');
  writeFileSync(file, content);
  return file;
}

describe('the key for the neighbours', () => {
  it('is that of the file, else that of the variable, else none', () => {
    expect(neighbourKeyIn({ NEIGHBOUR_KEY: 'other', NEIGHBOUR_KEY_FILE: fileWith(`${GOOD}\n`) })).toBe(GOOD);
    expect(neighbourKeyIn({ NEIGHBOUR_KEY: GOOD })).toBe(GOOD);
    expect(neighbourKeyIn({})).toBeUndefined();
  });

  it('stops the start when its file cannot be read or has no key in it, in one sentence without the key', () => {
    const read = (file: string) => () => neighbourKeyIn({ NEIGHBOUR_KEY_FILE: file });
    expect(read(join(folder, 'none'))).toThrow(/of NEIGHBOUR_KEY_FILE cannot be read \(ENOENT\)/);
    for (const content of ['', ' \n', 'two keys', 'a,b', 'a=b', 'ä'.repeat(20)]) {
      const message = `the file ${join(folder, 'key')} has no key in it`;
      expect(read(fileWith(content))).toThrow(expect.objectContaining({ message, code: 'NEIGHBOUR_KEY' }));
    }
  });

  it.each([
    [{}, []],
    [{ NEIGHBOUR_KEY: GOOD }, []],
    [{ NEIGHBOUR_KEY: 'dev-neighbour-key' }, ['NEIGHBOUR_KEY is the key of development']],
    [{ NEIGHBOUR_KEY: 'short' }, ['NEIGHBOUR_KEY has fewer than 16 characters']],
  ])('R54 is not fit for production: %j', (settings, reasons) => {
    expect(unfitNeighbourKey(settings)).toEqual(reasons);
  });

  it.each([
    ['INVENTORY_URL', 'inventory:3001'],
    ['PAYMENT_URL', 'http://payment?x'],
    ['NEIGHBOUR_KEY', 'a b'],
    ['NEIGHBOUR_TIMEOUT_MS', '0'],
  ])('is read with what belongs to it, and a fault has the name of its variable: %s', (name, value) => {
    const env = {
      NATS_URL: 'nats://localhost',
      API_KEYS: 'k=a/b:customer',
    };
    expect(readEnvironment(AskingEnvironment, env)).toMatchObject({ NEIGHBOUR_TIMEOUT_MS: 300 });
    expect(() => readEnvironment(AskingEnvironment, { ...env, [name]: value })).toThrow(name);
  });
});
