/** The rules about holds: what an operator holds sends nothing, loses no time, and goes on when it is let go. */
import type { HoldWitness, Move, SagaVersion, Send, StepHold } from './hold-witness';

/** What must be true also while something is held. */
export function auditHolds(witness: HoldWitness): string[] {
  return [...heldSagasSendNothing(witness), ...heldStepsAreNotSent(witness), ...deadlinesStandStill(witness)];
}

/**
 * A command that was decided before the hold may still leave behind it. So this looks at the versions of the saga, which
 * are in one order for all replicas, and not at the time.
 */
function heldSagasSendNothing({ sends, moves }: HoldWitness): string[] {
  return sends
    .filter(({ moves: own }) => own.every(({ event }) => event !== 'operator.resume'))
    .filter(({ sagaId, moves: own }) => isHeldAlone(moves, sagaId, own[0]!.version))
    .map((send) => `a held saga sends nothing: ${nameOf(send)} was sent`);
}

/**
 * A replica may not know yet that a step is held. It knows when a reading has ended that began behind the hold. Only the do
 * is held, and an operator may let one saga pass that stands at its step.
 */
function heldStepsAreNotSent({ sends, moves, stepHolds, readings, versions }: HoldWitness): string[] {
  const knows = ({ process, decidedAt }: Send, { placedAt, endedAt = Infinity }: StepHold) =>
    decidedAt < endedAt &&
    readings.some((one) => one.process === process && one.begunAt > placedAt && one.endedAt < decidedAt);
  const passes = ({ sagaId, moves: own }: Send) =>
    own.some(({ event, version }) => event === 'operator.resume' && !isHeldAlone(moves, sagaId, version));
  return sends
    .filter((send) => {
      const { definition } = versions.get(send.sagaId)![0]!;
      const holds = stepHolds.filter((hold) => hold.step === send.step && hold.definition === definition);
      return send.action === 'do' && holds.some((hold) => knows(send, hold)) && !passes(send);
    })
    .map((send) => `a held step is not sent: ${nameOf(send)} was sent by ${send.process}`);
}

const DEADLINES = ['deadline.passed', 'deadline.held', 'budget.spent'];

/** None passes during a hold. Behind it there is as much time left as before it. */
function deadlinesStandStill({ moves, versions }: HoldWitness): string[] {
  const rule = 'a deadline stands still';
  return moves
    .filter(({ event }) => DEADLINES.includes(event))
    .flatMap(({ sagaId, version, event, now }) => {
      const before = versions.get(sagaId)!.filter((one) => one.version < version);
      const last = before.at(-1)!;
      if (last.held && last.version === version - 1) return [`${rule}: ${event} of ${sagaId}, which is held`];
      const from = before.findLastIndex(({ deadlineMs, waiting }) => deadlineMs !== null || waiting);
      const start = before[from];
      // Until when it waits was said by its participant, who knows of no hold.
      if (!start?.deadlineMs || start.waiting) return [];
      const heldMs = heldIn(before.slice(from), now);
      const early = start.now + start.deadlineMs + heldMs - now;
      return heldMs > 0 && early > 0 ? [`${rule}: ${event} of ${sagaId} is ${early} ms early`] : [];
    });
}

/** For how long a saga was held. */
function heldIn(versions: readonly SagaVersion[], end: number): number {
  return versions
    .map(({ held, now }, index) => (held ? (versions[index + 1]?.now ?? end) - now : 0))
    .reduce((sum, ms) => sum + ms, 0);
}

export function holdsEnd({ open, stepHolds }: HoldWitness): string[] {
  return [
    ...open.filter(({ held }) => held).map(({ id }) => `holds end: ${id} is still held`),
    ...stepHolds.filter(({ endedAt }) => !endedAt).map(({ step }) => `holds end: ${step} is still held`),
  ];
}

/** An operator has held the saga before it came to this version, and nobody had resumed it. */
function isHeldAlone(moves: readonly Move[], sagaId: string, version: number): boolean {
  const acts = moves
    .filter((one) => one.sagaId === sagaId && one.version < version)
    .filter(({ event }) => event === 'operator.hold' || event === 'operator.resume')
    .sort((one, other) => one.version - other.version);
  return acts.at(-1)?.event === 'operator.hold';
}

const nameOf = ({ sagaId, step, action }: Send): string => `${sagaId}/${step}/${action}`;
