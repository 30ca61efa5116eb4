/** What a replica remembers of the held steps, whichever of its readings is answered first. */
import type { Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { StepHolds } from './step-holds';
import type { StepHold } from './step-holds.repository';

const hotel: StepHold = {
  tenant: 'acme',
  definition: 'journey',
  step: 'hotel',
  by: 'hugo',
  reason: 'repairs',
  since: new Date(),
};

/** Readings that are answered when the test says so, in the order in which they began. */
function open() {
  const readings: { answer: (held: StepHold[]) => void; fail: (error: Error) => void }[] = [];
  const database = {
    query: () => new Promise((answer, fail) => readings.push({ answer, fail })),
  } as unknown as Database;
  const holds = new StepHolds({ database, logger: {} as Logger });
  return { holds, readings, isHeld: () => holds.of('acme', 'journey', 'hotel') !== undefined };
}

it('R49 a hold that is known is not forgotten when an older reading is answered late', async () => {
  const { holds, readings, isHeld } = open();
  const [older, newer] = [holds.refresh(), holds.refresh()];
  readings[1]!.answer([hotel]);
  await newer;
  readings[0]!.answer([]);
  await older;
  expect(isHeld()).toBe(true);
  const next = holds.refresh();
  readings[2]!.answer([]);
  await next;
  expect(isHeld()).toBe(false);
});

it('R49 a reading that fails leaves room for the one before it', async () => {
  const { holds, readings, isHeld } = open();
  const [older, newer] = [holds.refresh(), holds.refresh()];
  readings[1]!.fail(new Error('away'));
  await expect(newer).rejects.toThrow('away');
  readings[0]!.answer([hotel]);
  await older;
  expect(isHeld()).toBe(true);
});
