import 'reflect-metadata';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IsOptional, IsString } from 'class-validator';
import { IsDataKeys, readEnvironment, sealerOf, unfitDataKeys } from './index';

class Keys {
  @IsDataKeys() DATA_KEYS?: string;
  @IsOptional() @IsString() DATA_KEYS_FILE?: string;
}

const good = 'k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'data-keys-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(content: string): string {
  const path = join(folder, 'keys');
  writeFileSync(path, content);
  return path;
}

describe('R54 the data keys of a service', () => {
  it('R54 may be absent in development, and not in production', () => {
    const read = readEnvironment(Keys, {});
    expect(sealerOf(read).seal('tok_ok', 'here')).toMatch(/^sealed\.v1\.dev\./);
    expect(unfitDataKeys(read)).toEqual(['DATA_KEYS is missing, and without it the key of development is used']);
  });

  it('R54 are a list in the environment, or in a file, which is the stronger one', () => {
    const read = readEnvironment(Keys, { DATA_KEYS: good });
    expect(unfitDataKeys(read)).toEqual([]);
    expect(sealerOf(read).seal('tok_ok', 'here')).toMatch(/^sealed\.v1\.k1\./);
    const both = { ...read, DATA_KEYS_FILE: file(`${good.replace('k1', 'k2')},${good}\n`) };
    expect(unfitDataKeys(both)).toEqual([]);
    expect(sealerOf(both).seal('tok_ok', 'here')).toMatch(/^sealed\.v1\.k2\./);
  });

  it('R54 are named when they are faulty, without a key', () => {
    expect(() => readEnvironment(Keys, { DATA_KEYS: `${good},k2:c2hvcnQ=` })).toThrow(
      /DATA_KEYS entry 2 must be id:base64, with 32 bytes in base64$/,
    );
    expect(() => sealerOf({ DATA_KEYS_FILE: file('k2:c2hvcnQ=') })).toThrow(/is no list of data keys: entry 1 must/);
    expect(() => sealerOf({ DATA_KEYS_FILE: join(folder, 'nowhere') })).toThrow(/cannot be read \(ENOENT\)$/);
  });
});
