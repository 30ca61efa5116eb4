/** Acts on all sagas of a group: how many there are is said before, and a set that has changed is shown again. */
import { useState } from 'react';
import type { Batch, SagaGroup } from '../answers';
import { change, Refusal } from '../ask';
import { ActDialog } from '../parts/act-dialog';
import { goTo, hrefTo } from '../route';
import { plural, sayCode, sayLength } from '../say';

const ACTS = [
  ['retry', 'Retry: send each command again'],
  ['skip', 'Skip: each step counts as done, by hand'],
  ['cancel', 'Cancel: turn each saga back'],
] as const;
const RATES = [1, 5, 20, 40, 100, 200];
const USUAL_RATE = 20;
const SECOND = 1_000;

interface Props {
  group: SagaGroup;
  close: () => void;
  done: () => void;
}

export function BatchDialog({ group: { definition, step, action, reason, count: shown }, close, done }: Props) {
  const [act, setAct] = useState<string>('retry');
  const [rate, setRate] = useState(USUAL_RATE);
  const [count, setCount] = useState(shown);
  const perform = async ({ reason: why, key }: { reason: string; key: string }) => {
    const filter = { status: 'parked', definition, step, action, ...(reason && { reason }) };
    const body = { act, ...(why && { reason: why }), filter, expected: count, ratePerSecond: rate };
    try {
      const batch = await change<Batch>({ method: 'POST', path: '/api/order/saga-batches', body, key });
      done();
      goTo(hrefTo(['parked', 'batches', batch.id]));
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'set_changed') throw error;
      const now = Number(error.body['count']);
      setCount(now);
      throw new Refusal(
        409,
        error.code,
        `Meanwhile there are ${plural(now, 'saga')}. Look again, and send it if you still want to.`,
      );
    }
  };
  return (
    <ActDialog
      title={`Act on ${plural(count, 'parked saga')}`}
      confirm={`${act[0]!.toUpperCase()}${act.slice(1)} ${plural(count, 'saga')}`}
      reason={act === 'skip' ? 'needed' : 'welcome'}
      dangerous={act !== 'retry'}
      blocked={count === 0 ? 'There is none left.' : undefined}
      close={close}
      perform={perform}
    >
      <p>
        {definition}: {step} {action === 'undo' && 'undo'}
        {reason && ` · ${sayCode(reason)}`}
      </p>
      <label className="field">
        <span>What</span>
        <select value={act} onChange={(event) => setAct(event.target.value)}>
          {ACTS.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        <span>How many a second</span>
        <select value={rate} onChange={(event) => setRate(Number(event.target.value))}>
          {RATES.map((value) => (
            <option key={value}>{value}</option>
          ))}
        </select>
      </label>
      <ul className="consequences">
        <li>The set is frozen when you send it: sagas that are parked later are not in it.</li>
        <li>The service carries it out by itself, in about {sayLength((count / rate) * SECOND)}; you may leave.</li>
        <li>You can stop it. Each saga is acted on once, and has its own result.</li>
      </ul>
    </ActDialog>
  );
}
