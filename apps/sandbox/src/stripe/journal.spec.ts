import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from './journal';

describe('openJournal', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'journal-'));
    file = join(folder, 'books.jsonl');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('reads back what was appended before', () => {
    const journal = openJournal<{ n: number }>(file);
    journal.append({ n: 1 });
    journal.append({ n: 2 });
    expect(openJournal(file).entries).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it('drops the half line of a write that was killed, and continues after the last whole line', () => {
    openJournal<{ n: number }>(file).append({ n: 1 });
    appendFileSync(file, '{"n":');
    const journal = openJournal<{ n: number }>(file);
    expect(journal.entries).toEqual([{ n: 1 }]);
    journal.append({ n: 2 });
    expect(readFileSync(file, 'utf8')).toBe('{"n":1}\n{"n":2}\n');
  });

  it('empties the file when cleared', () => {
    const journal = openJournal<{ n: number }>(file);
    journal.append({ n: 1 });
    journal.clear();
    journal.append({ n: 2 });
    expect(openJournal(file).entries).toEqual([{ n: 2 }]);
  });

  it('names the line that it cannot read', () => {
    writeFileSync(file, '{"n":1}\nnonsense\n');
    expect(() => openJournal(file)).toThrow(/line 2 of .*books\.jsonl/);
  });

  it('stores nothing without a file', () => {
    const journal = openJournal<{ n: number }>(undefined);
    journal.append({ n: 1 });
    expect(journal.entries).toEqual([]);
  });
});
