/** Acts on all of a group: how many there are is said before, and a set that has changed is shown again. */
import { type ReactNode, useState } from 'react';
import type { Batch } from '../answers';
import { change, Refusal } from '../ask';
import { goTo, hrefTo } from '../route';
import { plural, sayLength } from '../say';
import { ActDialog } from './act-dialog';
import type { BatchKind } from './batch-kind';

const RATES = [1, 5, 20, 40, 100, 200];
const USUAL_RATE = 20;
const SECOND = 1_000;

interface Props {
  kind: BatchKind;
  /** Which are meant, and how many of them were shown. */
  filter: object;
  shown: number;
  /** How the page calls them, such as `parked saga`. */
  noun?: string;
  /** The group in words. */
  children: ReactNode;
  close: () => void;
  done: () => void;
}

export function BatchDialog({ kind, filter, shown, noun = kind.noun, children, close, done }: Props) {
  const [act, setAct] = useState(kind.acts[0]!);
  const [rate, setRate] = useState(USUAL_RATE);
  const [count, setCount] = useState(shown);
  const perform = async ({ reason, key }: { reason: string; key: string }) => {
    const body = { act: act.name, ...(reason && { reason }), filter, expected: count, ratePerSecond: rate };
    try {
      const batch = await change<Batch>({ method: 'POST', path: kind.path, body, key });
      done();
      goTo(hrefTo([...kind.page, batch.id]));
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'set_changed') throw error;
      const now = Number(error.body['count']);
      setCount(now);
      throw new Refusal(
        409,
        error.code,
        `Meanwhile there are ${plural(now, kind.noun)}. Look again, and send it if you still want to.`,
      );
    }
  };
  return (
    <ActDialog
      title={`Act on ${plural(count, noun)}`}
      confirm={`${act.name[0]!.toUpperCase()}${act.name.slice(1)} ${plural(count, kind.noun)}`}
      reason={act.reason}
      dangerous={act.dangerous}
      blocked={count === 0 ? 'There is none left.' : undefined}
      close={close}
      perform={perform}
    >
      <p>{children}</p>
      <label className="field">
        <span>What</span>
        <select
          value={act.name}
          onChange={(event) => setAct(kind.acts.find(({ name }) => name === event.target.value)!)}
        >
          {kind.acts.map(({ name, text }) => (
            <option key={name} value={name}>
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
        {act.consequence && <li>{act.consequence}</li>}
        <li>The set is frozen when you send it: what comes later is not in it.</li>
        <li>The service carries it out by itself, in about {sayLength((count / rate) * SECOND)}; you may leave.</li>
        <li>You can stop it. Each {kind.noun} is acted on once, and has its own result.</li>
      </ul>
    </ActDialog>
  );
}
