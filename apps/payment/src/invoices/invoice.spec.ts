import fc from 'fast-check';
import { invoiceKinds, numberOf, placeIn } from './invoice';

describe('R39 the number of an invoice', () => {
  it('R39 has four digits, and more when it needs them', () => {
    const year = 2_026;
    expect([1, 42, 9_999, 10_000].map((place) => numberOf({ kind: 'invoice', year }, place))).toEqual([
      'INV-2026-0001',
      'INV-2026-0042',
      'INV-2026-9999',
      'INV-2026-10000',
    ]);
    expect(numberOf({ kind: 'credit_note', year }, 7)).toBe('CN-2026-0007');
  });

  it('R39 tells its series and its place', () => {
    const place = fc.integer({ min: 1, max: 99_999_999 });
    fc.assert(
      fc.property(
        fc.constantFrom(...invoiceKinds),
        fc.integer({ min: 1_000, max: 9_999 }),
        place,
        (kind, year, nth) => {
          expect(placeIn(numberOf({ kind, year }, nth))).toEqual({ kind, year, place: nth });
        },
      ),
    );
  });

  // Two ways to write one number would be two invoices.
  it.each([
    '',
    'INV',
    'INV-2026-1',
    'INV-2026-0000',
    'INV-2026-00001',
    'INV-0026-0001',
    'INV-2026-0001 ',
    'X-2026-0001',
    'inv-2026-0001',
  ])('R39 is none of ours: %p', (text) => expect(placeIn(text)).toBeUndefined());
});
