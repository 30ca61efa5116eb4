/**
 * Pictures of the console for its documentation, of a real system with sagas of every kind. Made only when they are asked
 * for: `UPDATE_SCREENSHOTS=docs/screenshots npx jest --selectProjects @shop/e2e --runInBand --testPathPatterns console-screenshots`.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { findChromium } from './browser';
import { ConsoleStage } from './console-stage';

const TIMEOUT_MS = 300_000;
const folder = process.env['UPDATE_SCREENSHOTS'];
const ROOT = join(__dirname, '..', '..', '..');

const looks: Record<string, BrowserContextOptions> = {
  wide: { viewport: { width: 1_600, height: 1_000 }, colorScheme: 'light' },
  dark: { viewport: { width: 1_600, height: 1_000 }, colorScheme: 'dark' },
  narrow: { viewport: { width: 360, height: 780 }, colorScheme: 'light', deviceScaleFactor: 2 },
};

/** Of the other looks, a few are enough to see that they hold. */
const alsoIn: Record<string, string[]> = {
  dark: ['overview', 'saga-parked'],
  narrow: ['overview', 'saga-parked', 'parked'],
};

(folder && findChromium() ? describe : describe.skip)('pictures of the console', () => {
  let stage: ConsoleStage;
  let parked: string[];
  let confirmed: string;
  let declined: string;
  let waiting: string;

  beforeAll(async () => {
    stage = await ConsoleStage.open();
    mkdirSync(join(ROOT, folder!), { recursive: true });
    for (let round = 0; round < 8; round++) {
      await Promise.all(Array.from({ length: 12 }, (_, index) => stage.ended(index % 6 === 5 ? 'unicorn' : 'cup')));
    }
    confirmed = await stage.ended();
    declined = await stage.ended('beans', 'tok_declined');
    await stage.loseMessage();
    await stage.killPayment();
    parked = await stage.park(7);
    waiting = await stage.placed('beans');
    await stage.untilAt(waiting, 'charge.do');
  }, TIMEOUT_MS);
  afterAll(() => stage?.close());

  it.each(Object.keys(looks))(
    'are taken: %s',
    async (look) => {
      const { page, faults, strangers } = await stage.visit('#/', looks[look]);
      const pages: [name: string, hash: string][] = [
        ['overview', '#/'],
        ['sagas', '#/sagas?status=all'],
        ['saga-confirmed', `#/sagas/${confirmed}`],
        ['saga-declined', `#/sagas/${declined}`],
        ['saga-parked', `#/sagas/${parked[0]}`],
        ['saga-waiting', `#/sagas/${waiting}`],
        ['parked', '#/parked'],
        ['dead-letters', '#/dead-letters'],
        ['holds', '#/holds'],
      ];
      for (const [name, hash] of pages) {
        await stage.go(page, hash);
        await settle(page);
        await picture(page, look, name);
      }
      await stage.go(page, `#/sagas/${parked[1]}`);
      await page.getByRole('button', { name: 'Skip', exact: true }).click();
      await picture(page, look, 'act');
      expect({ faults, strangers }).toEqual({ faults: [], strangers: [] });
    },
    TIMEOUT_MS,
  );

  async function picture(page: Page, look: string, name: string): Promise<void> {
    if (!(alsoIn[look]?.includes(name) ?? true)) return;
    await page.screenshot({ path: join(ROOT, folder!, `${look}-${name}.png`), fullPage: true });
  }

  /** All that was asked for is there, and two looks at the figures. */
  async function settle(page: Page): Promise<void> {
    await page.locator('.loading').first().waitFor({ state: 'detached' });
    await page.waitForTimeout(1_500);
  }
});
