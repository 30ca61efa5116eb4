/** What an act would do to a saga, in words, before it is done. Pure. */
import type { Act, Outlook, Saga } from '../answers';

export interface ActWords {
  act: Act;
  title: string;
  /** The button. */
  name: string;
  reason: 'needed' | 'welcome';
  dangerous?: boolean;
}

export const acts: readonly ActWords[] = [
  { act: 'retry', name: 'Retry', title: 'Send the command again', reason: 'welcome' },
  { act: 'skip', name: 'Skip', title: 'Skip the step', reason: 'needed', dangerous: true },
  { act: 'cancel', name: 'Cancel', title: 'Turn the saga back', reason: 'welcome', dangerous: true },
  { act: 'hold', name: 'Hold', title: 'Hold the saga', reason: 'needed' },
  { act: 'resume', name: 'Resume', title: 'Resume the saga', reason: 'welcome' },
];

const WHY_NOT: Record<string, string> = {
  ended: 'the saga has ended',
  'already-compensating': 'the saga is on its way back already',
  'already-requested': 'a wish to cancel is kept already',
  'not-parked': 'only the step at which a saga is parked can be skipped',
  'never-turns-back': 'the saga only goes forward',
  'unknown-version': 'this version of its definition is not known here',
  'already-held': 'the saga is held already',
  'not-held': 'the saga is not held',
  held: 'the saga is held; resume it first',
  'outcome-unknown': 'its service has not refused the command for sure: with another body it could be done twice',
  'member-fixed': 'no member of its body may be changed',
};

export const sayWhyNot = (code: string): string => WHY_NOT[code] ?? code.replaceAll('-', ' ').replaceAll('_', ' ');

/** Whether it can be done; without an outlook, what can be told from the saga itself. */
export function possibility(act: Act, saga: Saga, outlook: Outlook | undefined): { possible: boolean; why?: string } {
  const told = outlook?.acts.find((one) => one.act === act);
  if (told) return { possible: told.possible, why: told.why ? sayWhyNot(told.why) : undefined };
  const isOver = saga.status === 'completed' || saga.status === 'compensated';
  if (isOver) return { possible: false, why: WHY_NOT['ended'] };
  if (act === 'skip' && saga.status !== 'parked') return { possible: false, why: WHY_NOT['not-parked'] };
  if (act === 'cancel' && saga.status === 'compensating')
    return { possible: false, why: WHY_NOT['already-compensating'] };
  // A service without outlooks has no holds either.
  if (act === 'hold' || act === 'resume') return { possible: false, why: 'this version of the service cannot do it' };
  return { possible: true };
}

export function consequencesOf(act: Act, saga: Saga, outlook: Outlook | undefined): string[] {
  const { step, action } = saga;
  const becomes = outlook?.acts.find((one) => one.act === act)?.becomes;
  const sentences: Record<Act, string[]> = {
    retry: [
      `The ${action === 'undo' ? 'undo of' : 'command of'} “${step}” is sent once more, under its own id: what was done already stays done once.`,
      'If its service is away, the command waits there until it is back.',
    ],
    skip: [
      `“${step}” counts as ${action === 'undo' ? 'undone' : 'done'}, although no service has said so. Nothing is sent for it.`,
      'Do this only when it was done by hand. It cannot be taken back.',
    ],
    cancel: [sayUndo(outlook), 'A step that was sent and not answered is undone too. It cannot be taken back.'],
    hold: ['Nothing more is sent, and its deadline stands still. Replies that come meanwhile are kept.'],
    resume: ['It goes on with the time that its deadline had left.'],
  };
  const next = becomes ? [sayNext(becomes)] : [];
  return [...sentences[act], ...next];
}

function sayUndo(outlook: Outlook | undefined): string {
  if (!outlook) return 'Each step that was sent is undone, the last one first.';
  if (outlook.undo.length === 0) return 'Nothing has to be undone.';
  return `These steps are undone, in this order: ${outlook.undo.join(', ')}.`;
}

function sayNext({ status, step, action, sends, held }: NonNullable<Outlook['acts'][number]['becomes']>): string {
  const place = `Then it is ${status}, at ${step} (${action})`;
  if (held) return `${place}, and held.`;
  return sends === false ? `${place}; no command leaves at once.` : `${place}.`;
}
