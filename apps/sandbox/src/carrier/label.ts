/** The label on a parcel, as a picture that a browser shows and prints. Pure. */
import { escaped } from '../escaped';
import type { Shipment } from './shipment';

const WIDTH = 420;
const HEIGHT = 300;
const BARS_X = 24;
const BARS_Y = 196;
const BARS_HEIGHT = 56;
/** Wide enough for a few bars for each character of the number. */
const BAR = 3;

export function labelOf({ trackingNumber, reference, service, recipient }: Shipment): string {
  const lines = recipient ? addressOf(recipient) : ['To be fetched', 'at the pick-up point'];
  const address = lines.map((line, index) => `<text x="24" y="${84 + index * 22}" class="to">${escaped(line)}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}">
  <style>text { font-family: sans-serif; fill: #111 } .head { font-size: 15px; font-weight: bold } .to { font-size: 16px } .small { font-size: 12px }</style>
  <rect x="1" y="1" width="${WIDTH - 2}" height="${HEIGHT - 2}" rx="10" fill="#fff" stroke="#111" stroke-width="2"/>
  <text x="24" y="36" class="head">Sandbox Carrier</text>
  <text x="${WIDTH - 24}" y="36" class="head" text-anchor="end">${service === 'home' ? 'HOME' : 'PICK-UP'}</text>
  <line x1="24" y1="50" x2="${WIDTH - 24}" y2="50" stroke="#111"/>
  ${address.join('\n  ')}
  ${barsOf(trackingNumber)}
  <text x="24" y="270" class="head">${escaped(trackingNumber)}</text>
  <text x="24" y="288" class="small">${escaped(reference)}</text>
</svg>
`;
}

function addressOf({ name, address }: NonNullable<Shipment['recipient']>): string[] {
  const { line1, line2, postalCode, city, region, country } = address;
  const place = [postalCode, city].filter(Boolean).join(' ');
  return [name, line1, ...(line2 ? [line2] : []), region ? `${place}, ${region}` : place, country];
}

/** It looks like a bar code, and is none: the carrier is none either. */
function barsOf(text: string): string {
  const bits = [...text].map((sign) => sign.charCodeAt(0).toString(2).padStart(8, '0')).join('');
  const bars = [...bits].flatMap((bit, index) =>
    bit === '1' ? [`<rect x="${BARS_X + index * BAR}" y="${BARS_Y}" width="${BAR}" height="${BARS_HEIGHT}"/>`] : [],
  );
  return bars.join('');
}
