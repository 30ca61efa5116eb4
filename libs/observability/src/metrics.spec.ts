import { FewValues, gaugeReadLate } from './metrics';
import { register } from 'prom-client';

describe('R50 the values of a label', () => {
  it('R50 that come from elsewhere are one more value at most, however many come', () => {
    const reasons = new FewValues(2);
    const seen = ['sold_out', 'declined', 'made-up-1', 'sold_out', 'made-up-2'].map((reason) => reasons.of(reason));
    expect(seen).toEqual(['sold_out', 'declined', 'other', 'sold_out', 'other']);
  });
});

describe('R50 a gauge that is read late', () => {
  it('R50 has the values of the moment in which somebody asks, of the last one who made it', async () => {
    let depth = 1;
    gaugeReadLate('test_late', 'of a closed service', ['lane'], (set) => set({ lane: 'old' }, 7));
    gaugeReadLate('test_late', 'a test', ['lane'], (set) => set({ lane: 'new' }, depth));
    depth = 3;
    const { values } = await register.getSingleMetric('test_late')!.get();
    expect(values).toMatchObject([{ labels: { lane: 'new' }, value: 3 }]);
  });
});
