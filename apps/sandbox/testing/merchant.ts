/** A merchant's server that takes events, and believes only those that the real SDK finds signed. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';

export const SECRET = 'whsec_of_a_test';

export interface Merchant {
  url: string;
  /** In the order of their arrival, repetitions too. */
  events: Stripe.Event[];
  /** How many requests were signed wrongly. */
  forged: number;
  /** The statuses of the next answers; then 200. */
  answers: number[];
  close: () => Promise<void>;
}

/** @param header of the signature */
export async function startMerchant(secret = SECRET, header = 'stripe-signature'): Promise<Merchant> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => {
      const status = take(Buffer.concat(chunks), String(request.headers[header]));
      response.writeHead(status).end();
    });
  });
  const merchant: Merchant = {
    url: '',
    events: [],
    forged: 0,
    answers: [],
    close: () => new Promise((resolve) => void server.close(() => resolve()).closeAllConnections()),
  };
  const take = (body: Buffer, signature: string): number => {
    try {
      const event = Stripe.webhooks.constructEvent(body, signature, secret);
      const status = merchant.answers.shift() ?? 200;
      if (status === 200) merchant.events.push(event);
      return status;
    } catch {
      merchant.forged += 1;
      return 400;
    }
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  merchant.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`;
  return merchant;
}
