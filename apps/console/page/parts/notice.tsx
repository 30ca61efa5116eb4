/** What a page says instead of a value, or beside an old one. */
import type { ReactNode } from 'react';
import type { Asked } from '../use-asked';
import type { Refusal } from '../ask';

export function Notice({ kind, children }: { kind: 'info' | 'warn' | 'bad'; children: ReactNode }) {
  return (
    <div className={`notice ${kind}`} role={kind === 'bad' ? 'alert' : 'status'}>
      {children}
    </div>
  );
}

/** The service is of a version that does not know the question. */
export const isUnknownRoute = (refusal: Refusal | undefined): boolean =>
  refusal !== undefined && refusal.status === 404;

export const NotAvailable = ({ what }: { what: string }) => (
  <Notice kind="info">{what}: not available in this version of the service.</Notice>
);

/** Shows a value when there is one, and says what is wrong when its service does not answer. */
export function Shown<T>({
  asked: { value, refusal, again },
  what,
  children,
}: {
  asked: Asked<T>;
  what: string;
  children: (value: T) => ReactNode;
}) {
  if (value === undefined && !refusal) return <p className="loading">Loading {what.toLowerCase()} …</p>;
  if (value === undefined && isUnknownRoute(refusal)) return <NotAvailable what={what} />;
  return (
    <>
      {refusal && (
        <Notice kind="warn">
          {value === undefined ? `${what} cannot be shown: ` : 'What you see is not new: '}
          {refusal.message} <button onClick={again}>Ask again</button>
        </Notice>
      )}
      {value !== undefined && children(value)}
    </>
  );
}

export const Empty = ({ children }: { children: ReactNode }) => <p className="empty">{children}</p>;
