/**
 * The spans of sagas. A saga is a span itself, from its beginning to its end. Its id is in the row, so every process can
 * go on in its trace, after a crash and after a week. Who ends the saga writes the span, because no other process may
 * live then. The moves of the saga are spans within it, each below the message that has caused it.
 */
import { atSpan, isTracing, newTraceparent, type Span, spanIdOf, startSpan, traceIdOf } from '@shop/observability';
import type { NewSaga, SagaChange } from './decide-batch';
import { isFinal } from './saga-state';
import type { SagaRow } from './saga.repository';

/** The new saga as a span of its own, whose parent is what its `traceparent` names. */
export function asSpan<Data>(saga: NewSaga<Data>): NewSaga<Data> {
  if (!isTracing()) return saga;
  const { traceparent: parent } = saga;
  return { ...saga, traceparent: newTraceparent(parent), parentSpan: spanIdOf(parent) };
}

/** For the log. */
export const idsOf = ({ traceparent }: SagaRow): { traceId: string; spanId: string } => ({
  traceId: traceIdOf(traceparent),
  spanId: spanIdOf(traceparent),
});

/** A cause in another trace, such as the request of an operator, is linked: the saga stays in its own. */
export function startMove({ saga, transition, cause }: SagaChange, startedAtMs: number): Span | undefined {
  if (!isTracing()) return undefined;
  const { event, step, from, to, attempt } = transition;
  const isOurs = cause !== undefined && traceIdOf(cause) === traceIdOf(saga.traceparent);
  return startSpan(`saga ${event}`, {
    parent: isOurs ? cause : saga.traceparent,
    links: cause === undefined || isOurs ? [] : [cause],
    startedAtMs,
    attributes: () => ({
      ...namesOf(saga),
      'shop.saga.seq': saga.version,
      'shop.saga.step': step,
      'shop.saga.from': from,
      'shop.saga.to': to,
      'shop.saga.attempt': attempt,
    }),
  });
}

/** The span of the saga itself, when this was its last move. */
export function writeSpanOf({ saga, transition: { from, to } }: SagaChange): void {
  const { state, traceparent, parentSpan, beganAtMs } = saga;
  if (!isFinal(state.status) || from === to || parentSpan === undefined) return;
  const span = startSpan(`saga ${saga.definition}`, {
    parent: atSpan(traceparent, parentSpan),
    spanId: spanIdOf(traceparent),
    startedAtMs: beganAtMs,
    attributes: () => ({ ...namesOf(saga), 'shop.saga.status': state.status, 'shop.saga.reason': state.reason }),
  });
  span?.end();
}

const namesOf = ({ id, definition, definitionVersion }: SagaRow) => ({
  'shop.saga.id': id,
  'shop.saga.definition': definition,
  'shop.saga.version': definitionVersion,
});
