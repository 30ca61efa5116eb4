/** The search and the filters above the list of sagas. They are in the address, so that a list can be sent to others. */
import { type FormEvent, useEffect, useRef } from 'react';
import type { Definition } from '../answers';
import { goTo, hrefTo, type Place } from '../route';

const STATUSES = ['running', 'compensating', 'parked', 'completed', 'compensated'];

/** Without a choice the service lists the open ones, and looks for an id among all. */
function statusesFor(isSearch: boolean): readonly (readonly [string, string])[] {
  const [unsaid, other] = isSearch ? ['all', 'open'] : ['open', 'all'];
  return [['', unsaid], ...[...STATUSES, other].map((status) => [status, status] as const)];
}

const AGES = [
  ['', 'any age'],
  ['60', 'older than a minute'],
  ['600', 'older than 10 minutes'],
  ['3600', 'older than an hour'],
  ['86400', 'older than a day'],
] as const;

export function SagaFilters({ place: { query }, definitions }: { place: Place; definitions: readonly Definition[] }) {
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
      if (event.key !== '/' || isTyping) return;
      event.preventDefault();
      search.current?.focus();
    };
    addEventListener('keydown', focus);
    return () => removeEventListener('keydown', focus);
  }, []);
  const apply = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>;
    goTo(hrefTo(['sagas'], Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value.trim()]))));
  };
  const steps = [...new Set(definitions.flatMap((definition) => definition.steps.map(({ name }) => name)))];
  const names = [...new Set(definitions.map(({ name }) => name))];
  return (
    <form className="filters" role="search" onSubmit={apply}>
      <label className="field wide">
        <span>
          Any id <small>press /</small>
        </span>
        <input
          ref={search}
          type="search"
          name="q"
          defaultValue={query.get('q') ?? ''}
          placeholder="order, payment, customer, key …"
          title="of an order, a saga, a payment or a customer; the provider’s reference; an idempotency key"
          maxLength={200}
        />
      </label>
      <Choice name="status" label="Status" options={statusesFor(query.has('q'))} chosen={query.get('status')} />
      <Choice name="definition" label="Definition" options={anyOf(names)} chosen={query.get('definition')} />
      <Choice name="step" label="Step" options={anyOf(steps)} chosen={query.get('step')} />
      <label className="field">
        <span>Reason</span>
        <input name="reason" defaultValue={query.get('reason') ?? ''} placeholder="any" maxLength={64} />
      </label>
      <Choice name="olderThanSeconds" label="Age" options={AGES} chosen={query.get('olderThanSeconds')} />
      <div className="buttons">
        <button type="submit" className="primary">
          Show
        </button>
        <a href={hrefTo(['sagas'])}>Clear</a>
      </div>
    </form>
  );
}

const anyOf = (names: readonly string[]) => [['', 'any'], ...names.map((name) => [name, name] as const)] as const;

function Choice({
  name,
  label,
  options,
  chosen,
}: {
  name: string;
  label: string;
  options: readonly (readonly [string, string])[];
  chosen: string | null;
}) {
  // One that came with the address may be none that we know.
  const all = options.some(([value]) => value === (chosen ?? '')) ? options : [...options, [chosen!, chosen!] as const];
  return (
    <label className="field">
      <span>{label}</span>
      <select name={name} defaultValue={chosen ?? ''} onChange={(event) => event.currentTarget.form?.requestSubmit()}>
        {all.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
