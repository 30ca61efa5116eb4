/** Writes a mail: its subject, its text and the same as HTML, in the language of the customer. Pure. */
import type { DueNotification } from './notification';
import { wordsFor, type Words } from './words';

export interface Reader {
  displayName: string;
  /** A language tag (BCP 47). */
  locale: string;
}

export interface WrittenMail {
  subject: string;
  text: string;
  html: string;
  /** The language tag in which it is written. */
  language: string;
}

/** A row of facts, such as the amount. */
type Fact = readonly [name: string, value: string];

export function write(
  { template, orderId, data }: Pick<DueNotification, 'template' | 'orderId' | 'data'>,
  { displayName, locale }: Reader,
): WrittenMail {
  const { words, tag } = wordsFor(locale);
  const amount = amountOf(data, tag);
  const values = { id: orderId, name: oneLine(displayName), amount: amount ?? words.money };
  const { subject, heading, body } = words.mails[template];
  const content: Content = {
    greeting: filled(words.greeting, values),
    heading: filled(heading, values),
    body: filled(body, values),
    facts: factsOf({ orderId, amount, data, words }),
    goodsTitle: words.goods,
    goods: (data.lines ?? []).map(({ sku, quantity }) => `${quantity} × ${sku}`),
    footer: words.footer,
  };
  return { subject: filled(subject, values), text: textOf(content), html: htmlOf(content, tag), language: tag };
}

interface Content {
  greeting: string;
  heading: string;
  body: string;
  facts: readonly Fact[];
  goodsTitle: string;
  goods: readonly string[];
  footer: string;
}

interface Told {
  orderId: string;
  amount: string | undefined;
  data: DueNotification['data'];
  words: Words;
}

function factsOf({ orderId, amount, data, words }: Told): Fact[] {
  const reason = data.reason === undefined ? undefined : wordIn(words.reasons, data.reason);
  const facts: [string, string | undefined][] = [
    [words.order, orderId],
    [words.total, amount],
    [words.reason, reason],
    [words.tracking, data.trackingNumber],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== undefined);
}

/** Such as `€42.00`. The currency says how many digits are behind the point. */
function amountOf({ amount, currency }: DueNotification['data'], tag: string): string | undefined {
  if (amount === undefined || currency === undefined) return undefined;
  const format = new Intl.NumberFormat(tag, { style: 'currency', currency });
  const { maximumFractionDigits = 2 } = format.resolvedOptions();
  return oneLine(format.format(amount / 10 ** maximumFractionDigits));
}

const wordIn = (reasons: Record<string, string>, code: string): string | undefined =>
  Object.hasOwn(reasons, code) ? reasons[code] : undefined;

/** In one step, so that a value with braces in it stays as it is. */
const filled = (pattern: string, values: Record<string, string>): string =>
  pattern.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');

/** A name may have anything in it, and one that breaks the line could look like a part of the mail. */
const oneLine = (text: string): string => text.replace(/[\s\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();

function textOf({ greeting, heading, body, facts, goodsTitle, goods, footer }: Content): string {
  const parts = [
    greeting,
    heading.toUpperCase(),
    body,
    facts.map(([name, value]) => `${name}: ${value}`).join('\n'),
    ...(goods.length > 0 ? [[`${goodsTitle}:`, ...goods.map((line) => `  ${line}`)].join('\n')] : []),
    `-- \n${footer}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

// Mail programs know few styles, and those best that stand at their element. The dark ones come from the style sheet,
// where a program has it.
function htmlOf({ greeting, heading, body, facts, goodsTitle, goods, footer }: Content, tag: string): string {
  const soft = 'class="soft" style="color:#5d6b7a"';
  const fact = ([name, value]: Fact) =>
    `<tr><th ${soft} align="left" scope="row">${escaped(name)}</th><td>${escaped(value)}</td></tr>`;
  const list = goods.map((line) => `<li>${escaped(line)}</li>`).join('');
  return `<!doctype html>
<html lang="${escaped(tag)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${escaped(heading)}</title>
<style>
th { font-weight: normal; padding: 0 16px 4px 0; white-space: nowrap; vertical-align: top; }
td { padding: 0 0 4px; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) {
  .ground { background: #12181e !important; color: #eef2f6 !important; }
  .paper { background: #1d252e !important; }
  .soft { color: #a3afbc !important; }
}
</style>
</head>
<body class="ground" style="margin:0;padding:24px 12px;background:#eef1f5;color:#1c2530;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Arial,sans-serif">
<div class="paper" style="max-width:520px;margin:0 auto;background:#ffffff;border-radius:12px;padding:32px">
<p style="margin:0 0 16px">${escaped(greeting)}</p>
<h1 style="margin:0 0 16px;font-size:24px;line-height:1.25">${escaped(heading)}</h1>
<p style="margin:0 0 24px">${escaped(body)}</p>
<table cellspacing="0" cellpadding="0" style="border-collapse:collapse;font-size:15px">${facts.map(fact).join('')}</table>
${goods.length > 0 ? `<p ${soft.replace('style="', 'style="margin:24px 0 4px;font-size:15px;')}>${escaped(goodsTitle)}</p>\n<ul style="margin:0;padding-left:20px;font-size:15px">${list}</ul>\n` : ''}<p ${soft.replace('style="', 'style="margin:32px 0 0;font-size:13px;')}>${escaped(footer)}</p>
</div>
</body>
</html>
`;
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => entities[sign]!);
