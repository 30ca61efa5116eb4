/** The console in a real browser, before the real system: every page, for everybody, and while services die. */
import { readFileSync } from 'node:fs';
import { DEVELOPMENT_KEY } from '@shop/system';
import { eventually } from '@shop/testing';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { findChromium } from './browser';
import { ConsoleStage, type Visit } from './console-stage';

const TIMEOUT_MS = 300_000;
const PATIENCE = { timeoutMs: 60_000 };
/** Of the browser: a service starts again meanwhile. */
const SLOWLY = { timeout: 60_000 };
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const path = findChromium();

const looks: [name: string, options: BrowserContextOptions][] = [
  ['a wide screen, in light', { viewport: { width: 1_600, height: 1_000 }, colorScheme: 'light' }],
  ['a telephone, in dark', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' }],
];

(path ? describe : describe.skip)('R49 the console', () => {
  let stage: ConsoleStage;
  let confirmed: string;
  let parked: string;
  let waiting: string;

  beforeAll(async () => {
    stage = await ConsoleStage.open();
    confirmed = await stage.ended();
    await stage.ended('beans', 'tok_declined');
    await stage.loseMessage();
    await stage.killPayment();
    [parked] = (await stage.park(2)) as [string, string];
    waiting = await stage.placed();
    await stage.untilAt(waiting, 'charge.do');
  }, TIMEOUT_MS);
  afterAll(() => stage?.close());

  const pages = (): [hash: string, heading: string][] => [
    ['#/', 'Overview'],
    ['#/sagas', 'Sagas'],
    ['#/sagas?status=all', 'Sagas'],
    [`#/sagas/${confirmed}`, 'Saga'],
    [`#/sagas/${parked}`, 'Saga'],
    [`#/sagas/${waiting}`, 'Saga'],
    ['#/sagas/01a20621-a6cd-74b9-a1c3-459d717a98c4', 'No such saga'],
    ['#/parked', 'Parked'],
    ['#/dead-letters', 'Dead letters'],
    ['#/dead-letters?state=all&service=payment', 'Dead letters'],
    ['#/holds', 'Holds'],
    ['#/nowhere', 'Nothing is here'],
  ];

  it.each(looks)(
    'R49 shows each page on %s, whole, readable for all, and asks nobody else',
    async (_, options) => {
      const { page, faults, strangers } = await stage.visit('#/', options);
      for (const [hash, heading] of pages()) {
        await open(page, hash, heading);
        expect({ hash, ...(await lookAt(page)) }).toEqual({ hash, tooWide: 0, violations: [] });
      }
      expect({ faults, strangers }).toEqual({ faults: [], strangers: [] });
      await page.context().close();
    },
    TIMEOUT_MS,
  );

  it(
    'R54 keeps the key of the operator where no script of the page finds it',
    async () => {
      const { page } = await stage.look();
      await page.getByLabel('API key').fill('nobody-knows-this-key');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText('nobody here knows this key').waitFor();
      await page.getByLabel('API key').fill(DEVELOPMENT_KEY);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('heading', { name: 'Overview' }).waitFor();
      const seen = await page.evaluate(
        `document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage }) + document.documentElement.outerHTML`,
      );
      expect(seen).not.toContain(DEVELOPMENT_KEY);
      const [cookie] = await page.context().cookies();
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
      expect(cookie!.value).not.toContain(DEVELOPMENT_KEY);
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByLabel('API key').waitFor();
      expect(await page.context().cookies()).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'R49 is used by keyboard alone',
    async () => {
      const { page } = await stage.visit(`#/sagas/${parked}`);
      await page.getByRole('heading', { name: 'Saga', exact: true }).waitFor();
      await page.keyboard.press('Tab');
      const skip = page.getByRole('button', { name: 'Skip', exact: true });
      await skip.focus();
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog');
      await dialog.waitFor();
      expect(await dialog.textContent()).toMatch(/counts as undone, although no service has said so/);
      expect(await dialog.getByRole('button', { name: 'Skip' }).isDisabled()).toBe(true);
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      expect(await page.evaluate(`document.activeElement.textContent`)).toBe('Skip');
      await open(page, '#/sagas', 'Sagas');
      await page.keyboard.press('/');
      await page.keyboard.type(confirmed);
      await page.keyboard.press('Enter');
      await page.getByRole('row', { name: /place-order/ }).waitFor();
      expect(await page.getByRole('row').count()).toBe(2);
    },
    TIMEOUT_MS,
  );

  it(
    'R49 shows a saga moving, and its service dying and coming back, without being asked again',
    async () => {
      await stage.killPayment();
      const list = await stage.visit('#/sagas');
      const overview = await stage.visit('#/');
      // Now, because nobody waits for a charge for ever.
      const waiting = await stage.placed();
      await stage.untilAt(waiting, 'charge.do');
      const one = await stage.visit(`#/sagas/${waiting}`);
      await facts(one).getByText('running').waitFor();
      await list.page
        .getByRole('row', { name: /running/ })
        .first()
        .waitFor();
      await overview.page.getByText('1 not ready').waitFor(SLOWLY);
      await overview.page
        .getByRole('listitem')
        .filter({ hasText: 'does not answer' })
        .filter({ hasText: 'payment' })
        .waitFor();
      await one.page.getByText('The payment cannot be shown').waitFor();
      await stage.startPayment();
      await facts(one).getByText('completed').waitFor(SLOWLY);
      await overview.page.getByText('all ready').waitFor(SLOWLY);
      await eventually(
        async () => expect(await list.page.getByRole('row', { name: /running/ }).count()).toBe(0),
        PATIENCE,
      );
    },
    TIMEOUT_MS,
  );

  it(
    'R49 says that the order service is away, keeps what it has shown, and goes on when it is back',
    async () => {
      await stage.killPayment();
      const [id] = (await stage.park(1)) as [string];
      const { page } = await stage.visit(`#/sagas/${id}`);
      await facts({ page }).getByText('parked').waitFor();
      const { order } = stage.shop.system.services;
      await order.kill();
      await page.getByText('What you see is not new').first().waitFor(SLOWLY);
      await facts({ page }).getByText('parked').waitFor();
      await page.getByRole('button', { name: 'Retry', exact: true }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('button', { name: 'Retry' }).click();
      await dialog.getByText('the same act may be sent again').waitFor(SLOWLY);
      await order.start();
      await dialog.getByRole('button', { name: 'Send it again' }).click();
      await dialog.waitFor({ state: 'detached', ...SLOWLY });
      await stage.startPayment();
      await facts({ page }).getByText('compensated').waitFor(SLOWLY);
      const { history } = await stage.sagaOf(id);
      expect(history.filter(({ event }) => event === 'operator.retry')).toHaveLength(1);
    },
    TIMEOUT_MS,
  );
});

const facts = ({ page }: Pick<Visit, 'page'>) => page.locator('.facts');

async function open(page: Page, hash: string, heading: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  await page.getByRole('heading', { name: heading, exact: true, level: 1 }).waitFor();
  await eventually(async () => expect(await page.locator('.loading').count()).toBe(0), PATIENCE);
}

/** What is wider than the screen, and what a screen reader or an eye would stumble over. */
async function lookAt(page: Page): Promise<{ tooWide: number; violations: unknown[] }> {
  const tooWide = await page.evaluate<number>(
    `Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)`,
  );
  // By way of the protocol, so that the policy of the page stays as strict as it is.
  await page.evaluate(`(() => { ${axe} })(); undefined`);
  const violations = await page.evaluate<unknown[]>(
    `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 160)).join(' ')))`,
  );
  return { tooWide, violations };
}
