/** The pages on which a person sees the mails that came. They have no scripts, and a mail cannot reach out of its frame. */
import { escaped } from '../escaped';
import { createHash } from 'node:crypto';
import type { ReceivedMail } from './received-mails';

export interface MailPage {
  status: number;
  html: string;
  /** What a browser may do with it. */
  policy: string;
}

/** The newest ones. A page with thousands is of no use to anybody. */
export const MAX_SHOWN = 200;

const STYLE = `
  :root { color-scheme: light dark; --ink: #1c2530; --soft: #5d6b7a; --paper: #fff; --ground: #eef1f5; --line: #d9dfe6; --mark: #0b5cad; --hover: #f5f8fb; }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #eef2f6; --soft: #a3afbc; --paper: #1d252e; --ground: #12181e; --line: #364250; --mark: #7cb8ff; --hover: #232d38; }
  }
  * { box-sizing: border-box; }
  body { margin: 0; padding: 2rem 1rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
  main { max-width: 56rem; margin: 0 auto; }
  header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; justify-content: space-between; margin: 0 0 1rem; }
  h1 { margin: 0; font-size: 1.5rem; overflow-wrap: anywhere; line-height: 1.25; }
  h2 { margin: 2rem 0 .5rem; font-size: 1rem; }
  p { margin: 0; }
  small, .soft, dt, footer { color: var(--soft); }
  a { color: var(--mark); }
  .paper { background: var(--paper); border: 1px solid var(--line); border-radius: .75rem; overflow: hidden; }
  .empty { padding: 3rem 1.5rem; text-align: center; }
  ol { list-style: none; margin: 0; padding: 0; }
  li + li { border-top: 1px solid var(--line); }
  li a { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 1rem; padding: .75rem 1.25rem; color: inherit; text-decoration: none; }
  li a:hover { background: var(--hover); }
  a:focus-visible { outline: 3px solid #6aa9ff; outline-offset: -3px; }
  .subject { font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .back { margin-bottom: .75rem; }
  .to { grid-column: 1 / -1; color: var(--soft); font-size: .9rem; overflow-wrap: anywhere; }
  @media (max-width: 40rem) {
    li a { grid-template-columns: minmax(0, 1fr); }
    .subject { white-space: normal; overflow-wrap: anywhere; }
    time { order: 1; }
  }
  time, .count { font-size: .85rem; color: var(--soft); font-variant-numeric: tabular-nums; white-space: nowrap; }
  dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem 1rem; margin: 0; padding: 1rem 1.25rem; font-size: .95rem; }
  dd { margin: 0; overflow-wrap: anywhere; }
  pre { margin: 0; padding: 1.25rem; white-space: pre-wrap; overflow-wrap: anywhere; font: .9rem/1.5 ui-monospace, monospace; }
  iframe { display: block; width: 100%; height: 34rem; border: 0; background: #fff; }
  footer { margin-top: 1.5rem; font-size: .85rem; }
`;
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; frame-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'`;

/** The HTML of a mail is the sender's, so it runs nothing, loads nothing, and is of no origin, also in a tab of its own. */
const MAIL_POLICY =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'self'; base-uri 'none'";

/** @param mails oldest first */
export function listPage(mails: readonly ReceivedMail[]): MailPage {
  const shown = mails.slice(-MAX_SHOWN).reverse();
  const list =
    shown.length === 0
      ? '<p class="paper empty soft">No mail yet. What is sent to the mail server of the sandbox is shown here.</p>'
      : `<ol class="paper">${shown.map(lineOf).join('')}</ol>`;
  const how = mails.length > shown.length ? `the newest ${shown.length} of ${mails.length}` : counted(mails.length);
  return page('Mails', `<header><h1>Mails</h1><small>${how}</small></header>${list}`);
}

export function mailPage(mail: ReceivedMail): MailPage {
  const { id, subject, from, to, messageId, receivedCount, text, html, writtenAt } = mail;
  const facts: [string, string | null][] = [
    ['From', from],
    ['To', to.join(', ')],
    ['Written', writtenAt && readableTime(writtenAt)],
    ['Message-ID', messageId],
    ['Came', receivedCount === 1 ? 'once' : `${receivedCount} times, and was kept once`],
  ];
  const rows = facts
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => `<dt>${name}</dt><dd>${escaped(value!)}</dd>`);
  const frame = `<h2>As HTML</h2><iframe class="paper" sandbox="" title="The mail as HTML" src="/mail/${id}/html"></iframe>`;
  return page(
    subject,
    `<p class="back"><a href="/mail">All mails</a></p>
    <header><h1>${escaped(subject || '(no subject)')}</h1></header>
    <dl class="paper">${rows.join('')}</dl>
    ${html === null ? '' : frame}
    <h2>As text</h2><pre class="paper">${escaped(text)}</pre>`,
  );
}

/** What the frame of a mail shows. */
export const mailContent = ({ html }: ReceivedMail): MailPage => ({
  status: html === null ? 404 : 200,
  html: html ?? '',
  policy: MAIL_POLICY,
});

export function noMailPage(): MailPage {
  const body = `<header><h1>There is no such mail.</h1></header><p><a href="/mail">All mails</a></p>`;
  return { ...page('No such mail', body), status: 404 };
}

function lineOf({ id, subject, to, writtenAt, receivedCount }: ReceivedMail): string {
  const often = receivedCount > 1 ? ` <span class="count">· came ${receivedCount} times</span>` : '';
  return `<li><a href="/mail/${id}"><span class="subject">${escaped(subject || '(no subject)')}</span>
    ${writtenAt === null ? '<span></span>' : `<time datetime="${escaped(writtenAt)}">${escaped(readableTime(writtenAt))}</time>`}
    <span class="to">${escaped(to.join(', '))}${often}</span></a></li>`;
}

const counted = (count: number): string => (count === 1 ? '1 mail' : `${count} mails`);

/** Such as `2026-03-01 12:00:05 UTC`. */
const readableTime = (iso: string): string => `${new Date(iso).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

function page(title: string, body: string): MailPage {
  return {
    status: 200,
    policy: POLICY,
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
      <footer>This is the sandbox. No mail goes on from here.</footer>
    </main>
  </body>
</html>
`,
  };
}
