/** The names of leased work. */
import { Idempotency } from '../idempotency';
import { MemoryLedger } from '../ledger/memory-ledger';
import { type Memory, MemoryStore } from '../ledger/memory-store';

describe('R18 the name of leased work', () => {
  const newIdempotency = () => new Idempotency<Memory>(new MemoryStore(), new MemoryLedger());
  const name = (idempotency: Idempotency<Memory>, text: string) =>
    idempotency.leased<null>(text, (work) => work.finish(() => ({ status: 200, body: '{}' })));

  it.each(['', 'n'.repeat(101)])('R18 is not %p', (text) => {
    expect(() => name(newIdempotency(), text)).toThrow('leased work has a name of 1 to 100 characters');
  });

  it('R18 is given once', () => {
    const idempotency = newIdempotency();
    const longest = 'n'.repeat(100);
    name(idempotency, longest);
    expect(() => name(idempotency, longest)).toThrow(`there is leased work named ${longest} already`);
  });
});
