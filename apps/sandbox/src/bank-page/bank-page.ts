/** The page on which the customer says yes or no to a payment, as a bank shows it for 3-D Secure. */
import { escaped } from '../escaped';
import { createHash } from 'node:crypto';
import { readable } from '../stripe/currencies';
import type { PaymentIntent } from '../stripe/payment-intent';

export interface Page {
  status: number;
  html: string;
  /** What a browser may do with it. */
  policy: string;
}

const STYLE = `
  :root { color-scheme: light dark; --ink: #1c2530; --soft: #5d6b7a; --paper: #fff; --ground: #eef1f5; --line: #d9dfe6; --yes: #0b6e4f; }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #eef2f6; --soft: #a3afbc; --paper: #1d252e; --ground: #12181e; --line: #364250; --yes: #17845f; }
  }
  * { box-sizing: border-box; }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--ground); color: var(--ink);
    font: 1rem/1.5 system-ui, sans-serif; }
  main { width: 100%; max-width: 24rem; background: var(--paper); border: 1px solid var(--line); border-radius: 1rem; padding: 2rem; }
  p { margin: 0; color: var(--soft); overflow-wrap: anywhere; }
  h1 { margin: 0 0 1rem; font-size: 1.1rem; }
  .amount { color: var(--ink); font-size: 2.2rem; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.2; }
  .reference { font-size: .85rem; }
  form { display: grid; gap: .75rem; margin-top: 2rem; }
  button { min-height: 3rem; border-radius: .6rem; border: 1px solid var(--line); background: none; color: inherit; font: inherit;
    font-weight: 600; cursor: pointer; }
  button[value=approve] { background: var(--yes); border-color: var(--yes); color: #fff; }
  button:focus-visible { outline: 3px solid #6aa9ff; outline-offset: 2px; }
  small { display: block; margin-top: 1.5rem; color: var(--soft); }
`;
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** Asks the customer. A browser must also be allowed to go on to the page of the shop. */
export function question({ id, amount, currency, next_action: action }: PaymentIntent): Page {
  const body = `
    <h1>Do you want to pay?</h1>
    <p class="amount">${escaped(readable(amount, currency))}</p>
    <p class="reference">${escaped(id)}</p>
    <form method="post">
      <button name="outcome" value="approve">Approve</button>
      <button name="outcome" value="decline">Decline</button>
    </form>`;
  return page({ status: 200, title: 'Approve a payment', body, goesTo: action?.redirect_to_url.return_url });
}

/** One sentence, where there is nothing to decide. */
export function sentence(status: number, text: string): Page {
  return page({ status, title: text, body: `<h1>${escaped(text)}</h1><p>You can close this page.</p>` });
}

/** Where the customer goes after the answer, if the shop has named a page; with the parameters that Stripe adds. */
export function wayBack(
  { id, next_action: action }: PaymentIntent,
  outcome: 'approve' | 'decline',
): string | undefined {
  const returnUrl = action?.redirect_to_url.return_url;
  if (!returnUrl) return undefined;
  const url = new URL(returnUrl);
  url.searchParams.set('payment_intent', id);
  url.searchParams.set('redirect_status', outcome === 'approve' ? 'succeeded' : 'failed');
  return url.href;
}

interface Content {
  status: number;
  title: string;
  body: string;
  goesTo?: string | null;
}

function page({ status, title, body, goesTo }: Content): Page {
  const targets = ["'self'", ...(goesTo ? [new URL(goesTo).origin] : [])].join(' ');
  return {
    status,
    policy: `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action ${targets}; frame-ancestors 'none'; base-uri 'none'`,
    html: `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${escaped(title)}</title>
    <style>${STYLE}</style>
  </head>
  <body>
    <main>${body}
      <small>This is the sandbox. No money moves.</small>
    </main>
  </body>
</html>
`,
  };
}
