/** What operators do in the console, each act in a real browser on the real system: on one saga, on many, on steps, on letters. */
import { eventually } from '@shop/testing';
import type { Page } from 'playwright-core';
import { findChromium } from './browser';
import { ConsoleStage } from './console-stage';

const TIMEOUT_MS = 300_000;
const SLOWLY = { timeout: 60_000 };
const PATIENCE = { timeoutMs: 60_000 };
const path = findChromium();

(path ? describe : describe.skip)('R49 R6 an operator in the console', () => {
  let stage: ConsoleStage;
  let page: Page;

  beforeAll(async () => {
    stage = await ConsoleStage.open();
    ({ page } = await stage.visit());
  }, TIMEOUT_MS);
  afterEach(() => stage?.startPayment());
  afterAll(() => stage?.close());

  const press = (name: string) => page.getByRole('button', { name, exact: true }).click();
  const dialog = () => page.getByRole('dialog');
  /** What the service says of an act comes a moment later than its button. */
  const reads = (text: RegExp) => eventually(async () => expect(await dialog().textContent()).toMatch(text), PATIENCE);

  /** Presses the button of an act, says why, and does it. */
  async function act(name: string, { why, says, confirm = name }: { why?: string; says: RegExp; confirm?: string }) {
    await press(name);
    await reads(says);
    if (why) await dialog().getByLabel('Why').fill(why);
    await submit(confirm);
  }

  /** As a person does on a busy machine: what was not answered is sent again. */
  async function submit(name: string): Promise<void> {
    await dialog().getByRole('button', { name }).click();
    await eventually(async () => {
      const again = dialog().getByRole('button', { name: 'Send it again' });
      if (await again.isVisible()) await again.click();
      expect(await dialog().allTextContents()).toEqual([]);
    }, PATIENCE);
  }

  async function show(id: string): Promise<void> {
    await stage.go(page, `#/sagas/${id}`);
    await page.locator('.facts').waitFor();
  }

  const shows = (status: string) => page.locator('.facts').getByText(status, { exact: true }).waitFor(SLOWLY);

  it(
    'R6 holds a step, which everybody sees, and releases it',
    async () => {
      await stage.go(page, '#/holds');
      await press('Hold charge of place-order');
      await reads(/no replica sends “charge” for any saga of place-order/);
      await dialog().getByLabel('Why').fill('the provider charges twice');
      await submit('Hold charge');
      await page.getByText('the provider charges twice').waitFor();
      const id = await stage.placedUntilHeld();
      await show(id);
      await shows('held');
      await page.getByText('1 step is held').waitFor(SLOWLY);
      await stage.go(page, '#/holds');
      await press('Release charge of place-order');
      await submit('Release charge');
      await show(id);
      await shows('completed');
      await page.getByText('1 step is held').waitFor({ state: 'detached', ...SLOWLY });
    },
    TIMEOUT_MS,
  );

  it(
    'R6 acts on sagas while their executor is down, and it is carried out when it is back',
    async () => {
      await stage.killPayment();
      const [retried, skipped] = (await stage.park(2)) as [string, string];
      const [cancelled, held] = [await stage.placed(), await stage.placed('beans')];
      for (const id of [cancelled, held]) await stage.untilAt(id, 'charge.do');
      await show(retried);
      await act('Retry', { says: /undo of “charge” is sent once more/ });
      await shows('compensating');
      await show(skipped);
      await act('Skip', { why: 'given back by bank transfer', says: /counts as undone/ });
      await shows('compensated');
      await page.getByText('given back by bank transfer').waitFor();
      await show(cancelled);
      await act('Cancel', { says: /undone, in this order: charge, reserve/ });
      await shows('compensating');
      await show(held);
      await act('Hold', { why: 'the customer calls back', says: /Nothing more is sent/ });
      await shows('held');
      await act('Resume', { says: /goes on with the time/ });
      await shows('running');
      await stage.startPayment();
      await shows('completed');
      for (const id of [retried, cancelled]) {
        await show(id);
        await shows('compensated');
      }
      const { history } = await stage.sagaOf(skipped);
      expect(history.find(({ event }) => event === 'operator.skip')).toMatchObject({
        detail: { by: 'developer', reason: 'given back by bank transfer' },
      });
    },
    TIMEOUT_MS,
  );

  it(
    'R6 sends a command that was refused once more, with a corrected body, and shows how it was answered',
    async () => {
      const id = await stage.parkCancellation();
      await show(id);
      await press('Retry with a corrected body');
      const body = dialog().getByLabel('Its body, as JSON');
      await dialog().getByLabel('Why').fill('the order was merged');
      await dialog().getByText('Nothing is changed yet.').waitFor();
      const was = await body.inputValue();
      await body.fill('{');
      await dialog().getByText('This is no JSON object.').waitFor();
      await body.fill(was.replace(/"orderId": "[^"]+"/, `"orderId": "${crypto.randomUUID()}"`));
      await dialog().getByText('You change: orderId.').waitFor();
      await submit('Send it');
      await shows('running');
      await stage.startPayment();
      await shows('completed');
      expect((await stage.sagaOf(id)).history.find(({ event }) => event === 'operator.retry')).toMatchObject({
        detail: { by: 'developer', reason: 'the order was merged', revision: 2 },
      });
      const ledger = page.getByRole('region', { name: 'Ledger' });
      await ledger
        .getByRole('row', { name: /refund payment done/ })
        .first()
        .waitFor(SLOWLY);
      await ledger.getByRole('row', { name: /restock inventory done/ }).waitFor(SLOWLY);
    },
    TIMEOUT_MS,
  );

  it(
    'R6 acts on all parked sagas of a group, sees how far it is, and what became of each',
    async () => {
      await stage.killPayment();
      const ids = await stage.park(6);
      await stage.go(page, '#/parked');
      await press('Act on 6 sagas …');
      await dialog().getByLabel('How many a second').selectOption('5');
      await reads(/frozen when you send it.*in about 1\.2 s/s);
      await dialog().getByLabel('Why').fill('the provider is back');
      await submit('retry 6 sagas');
      await page.getByRole('heading', { name: /retry 6 sagas/ }).waitFor(SLOWLY);
      await page.getByText('6 of 6').first().waitFor(SLOWLY);
      await eventually(async () => expect(await page.getByRole('row', { name: /done/ }).count()).toBe(6), PATIENCE);
      await stage.startPayment();
      for (const id of ids) {
        await eventually(async () => {
          const { status, history } = await stage.sagaOf(id);
          expect(status).toBe('compensated');
          expect(history.filter(({ event }) => event === 'operator.retry')).toHaveLength(1);
        }, PATIENCE);
      }
      await stage.go(page, '#/parked');
      await page.getByText('Nothing is parked.').waitFor(SLOWLY);
    },
    TIMEOUT_MS,
  );

  it(
    'R6 is asked again when the set is another one meanwhile, and stops an act on many',
    async () => {
      await stage.killPayment();
      await stage.park(2);
      await stage.go(page, '#/parked');
      await press('Act on 2 sagas …');
      await stage.park(1);
      await dialog().getByLabel('How many a second').selectOption('1');
      await dialog().getByRole('button', { name: 'retry 2 sagas' }).click();
      await dialog().getByText('Meanwhile there are 3 sagas').waitFor();
      await submit('retry 3 sagas');
      await page.getByRole('heading', { name: /retry 3 sagas/ }).waitFor(SLOWLY);
      await press('Stop');
      await submit('Stop it');
      await page.getByRole('heading', { name: /stopped|done/ }).waitFor(SLOWLY);
      await stage.startPayment();
    },
    TIMEOUT_MS,
  );

  it(
    'R46 replays and discards dead letters, and reads them',
    async () => {
      await stage.loseMessage();
      await stage.go(page, '#/dead-letters');
      await page.getByRole('region', { name: 'payment' }).getByRole('link').first().click();
      await page.getByText('not readable').waitFor();
      await act('Replay', { why: 'just to see', says: /comes back here/ });
      await page.getByText('just to see').waitFor(SLOWLY);
      await act('Discard', { why: 'it was a test', says: /Nothing more is done about it/ });
      await page.getByText('it was a test').waitFor(SLOWLY);
      await page.locator('.facts').getByText('discarded').waitFor();
    },
    TIMEOUT_MS,
  );

  it(
    'R6 R46 acts on all dead letters of a group, and sees what became of each',
    async () => {
      await stage.loseMessages(3);
      await stage.go(page, '#/dead-letters?service=payment');
      await press('Act on 3 dead letters …');
      await reads(/keeps its id.*frozen when you send it/s);
      await dialog().getByLabel('What').selectOption('discard');
      await reads(/can still be read here.*frozen when you send it/s);
      await dialog().getByLabel('Why').fill('sent by a test');
      await submit('discard 3 dead letters');
      await page.getByRole('heading', { name: /discard 3 dead letters/ }).waitFor(SLOWLY);
      await page.getByText('3 of 3').first().waitFor(SLOWLY);
      await eventually(async () => expect(await page.getByRole('row', { name: /done/ }).count()).toBe(3), PATIENCE);
      await page.getByRole('link', { name: '← Dead letters of payment' }).click();
      await page.getByRole('link', { name: 'discard 3 dead letters' }).waitFor(SLOWLY);
    },
    TIMEOUT_MS,
  );
});
