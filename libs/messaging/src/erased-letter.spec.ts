import { type Letter, verdictOn } from './erased-letter';

const letterWith = (message: object, changed: Partial<Letter> = {}): Letter => ({
  id: '1',
  tenant: 'acme',
  readable: true,
  cut: false,
  state: 'open',
  acts: [],
  lastError: 'Error: out of luck',
  content: Buffer.from(JSON.stringify(message)),
  ...changed,
});
const bytes = (text: string): Partial<Letter> => ({ readable: false, tenant: null, content: Buffer.from(text) });
const alice = { tenant: 'acme', customerId: 'alice' };
const charge = (source: string) => ({ id: 'saga/charge/do', data: { tenant: 'acme', source } });

describe('R26 a dead letter', () => {
  it('R26 is deleted with its tenant, and so are bytes that name the tenant', () => {
    const acme = { tenant: 'acme' };
    expect(verdictOn(letterWith({}), acme)).toBe('delete');
    expect(verdictOn(letterWith({}, { tenant: 'rival' }), acme)).toBe('keep');
    expect(verdictOn(letterWith({}, bytes('[{"tenant":"acme"')), acme)).toBe('delete');
    expect(verdictOn(letterWith({}, bytes('[{"tenant":"acmeplus"')), acme)).toBe('keep');
  });

  it('R26 that says nothing of a customer stays as it is', () => {
    expect(verdictOn(letterWith(charge('sealed.v1.k.AA')), alice)).toBe('keep');
    expect(verdictOn(letterWith({ customerId: 'alice' }, { tenant: 'rival' }), alice)).toBe('keep');
    expect(verdictOn(letterWith({}, bytes('no "alicen" here')), alice)).toBe('keep');
  });

  it('R26 loses what names the customer, wherever it stands', () => {
    const act = { act: 'replayed', by: 'acme/olga', reason: 'alice has called', at: 'then' } as const;
    const other = { ...act, reason: 'mended' };
    const message = { data: { order: { customerId: 'alice', total: 5 }, other: { customerId: 'bob' } } };
    const verdict = verdictOn(letterWith(message, { acts: [act, other], lastError: 'Error: no alice' }), alice);
    expect(verdict).toMatchObject({ acts: [{ ...act, reason: 'erased' }, other], lastError: 'erased' });
    expect(JSON.parse((verdict as Letter).content.toString())).toEqual({
      data: { order: { customerId: 'erased', total: 5 }, other: { customerId: 'bob' } },
    });
    expect(verdictOn(letterWith({}, { ...bytes('[{"customerId":"alice"'), tenant: 'acme' }), alice)).toBe('delete');
  });

  it('R26 loses what stands for the customer, and can be replayed without it', () => {
    const aliased = { ...alice, alias: 'f00d' };
    const message = { data: { customer: 'f00d', lines: [], other: { customer: 'beef', name: 'f00d' } } };
    expect(verdictOn(letterWith(message), alice)).toBe('keep');
    const verdict = verdictOn(letterWith(message), aliased);
    expect(JSON.parse((verdict as Letter).content.toString())).toEqual({
      data: { lines: [], other: { customer: 'beef', name: 'f00d' } },
    });
    expect(verdictOn(letterWith({}, bytes('[{"customer":"f00d"')), aliased)).toBe('delete');
    expect(verdictOn(letterWith({}, bytes('[{"customer":"beef"')), aliased)).toBe('keep');
  });

  it('R26 of an earlier release loses its token in clear when nothing is to be done about it any more', () => {
    expect(verdictOn(letterWith(charge('tok_clear')), alice)).toBe('keep');
    const verdict = verdictOn(letterWith(charge('tok_clear'), { state: 'discarded' }), alice);
    expect((verdict as Letter).content.toString()).toBe(JSON.stringify(charge('erased')));
    expect(verdictOn(letterWith(charge('erased'), { state: 'discarded' }), alice)).toBe('keep');
  });
});
