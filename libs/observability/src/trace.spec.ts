import { atSpan, newTraceparent, parseTraceparent, spanIdOf, traceIdOf } from './trace';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';

describe('newTraceparent', () => {
  it.each(['00', '01'])(
    'keeps the trace id and the flag %s of a well formed header and makes a span id of its own',
    (flag) => {
      const incoming = `00-${TRACE_ID}-${SPAN_ID}-${flag}`;
      const own = newTraceparent(incoming);
      expect(parseTraceparent(own)).toMatchObject({ traceId: TRACE_ID, flags: flag });
      expect(spanIdOf(own)).not.toBe(SPAN_ID);
    },
  );

  it.each([
    undefined,
    '',
    'nonsense',
    '00-xyz-1-1',
    `00-${'0'.repeat(32)}-${SPAN_ID}-01`,
    `00-${TRACE_ID}-${'0'.repeat(16)}-01`,
    `00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01`,
    `00-${TRACE_ID}-${SPAN_ID}-01\n`,
  ])('starts a trace that is not recorded for %p', (incoming) => {
    const own = newTraceparent(incoming);
    expect(own).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(traceIdOf(own)).not.toBe(TRACE_ID);
  });
});

describe('atSpan', () => {
  it('names another span of the same trace', () => {
    const at = atSpan(`00-${TRACE_ID}-${SPAN_ID}-01`, '00f067aa0ba902b7');
    expect(at).toBe(`00-${TRACE_ID}-00f067aa0ba902b7-01`);
  });
});
