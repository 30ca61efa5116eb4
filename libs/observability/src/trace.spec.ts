import { newTraceparent, traceIdOf } from './trace';

describe('newTraceparent', () => {
  it('keeps the trace id of a well formed header and makes a span id of its own', () => {
    const incoming = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const own = newTraceparent(incoming);
    expect(traceIdOf(own)).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(own).not.toBe(incoming);
  });

  it.each([undefined, '', 'nonsense', '00-xyz-1-1'])('starts a trace for %p', (incoming) => {
    expect(newTraceparent(incoming)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });
});
