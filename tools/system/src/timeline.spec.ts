import { printable } from '@shop/observability';
import { timelineOf } from './timeline';

const move = { at: '2026-03-01T12:00:00.000Z', event: 'started', from: 'new', to: 'reserve.do', attempt: 1 };

describe('the timeline of a saga', () => {
  it('R48 is one line for each move', () => {
    const again = { ...move, at: '2026-03-01T12:00:01.500Z', attempt: 2, detail: { reason: 'slow' } };
    const cancelledBy = { definition: 'cancel-order', status: 'completed', history: [move] };
    expect(timelineOf({ definition: 'place-order', status: 'completed', history: [move, again], cancelledBy })).toEqual(
      [
        '     +0 ms  new → reserve.do             started',
        '  +1500 ms  new → reserve.do             started, attempt 2, reason slow',
        '           then, to give it all back:',
        '     +0 ms  new → reserve.do             started',
      ],
    );
  });

  it('R48 has nothing in it that a terminal obeys, whoever wrote it', () => {
    const evil = '\x1b[2J\n+0 ms  all is well\u202e';
    const history = [{ ...move, event: evil, from: evil, to: evil, detail: { [evil]: evil } }];
    const lines = timelineOf({
      definition: evil,
      status: evil,
      history,
      cancelledBy: { definition: evil, status: evil, history },
    });
    expect(lines).toHaveLength(3);
    expect(lines).toEqual(lines.map(printable));
  });
});
