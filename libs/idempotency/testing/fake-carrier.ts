/** The carrier of the tests: takes a parcel once for each key, counts calls, and holds callers at instants. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Instant } from './example-carrier';

export interface Hold {
  /** Whether a caller waits here. */
  readonly arrived: boolean;
  /** Lets the caller go on. */
  release(): void;
  /** Lets the caller go on with an error, as if the outcome was unknown. */
  fail(): void;
}

export interface FakeCarrier {
  readonly url: string;
  /** Holds the next caller that reaches this instant with a parcel for this recipient, or with a note of this text. */
  hold(instant: Instant, about: string): Hold;
  /** The instants that the example reached, in order. */
  instantsOf(about: string): Instant[];
  /** The bookings that were made for this recipient. */
  bookingsOf(recipient: string): string[];
  close(): Promise<void>;
}

interface Waiting extends Hold {
  catch(): Promise<void>;
}

interface Asked {
  instant: Instant;
  about: string;
  to: string;
  booking: string;
}

export async function startFakeCarrier(): Promise<FakeCarrier> {
  const holds = new Map<string, Waiting>();
  const instants: { instant: Instant; about: string }[] = [];
  /** Bookings and their recipients, by the key that they were made with. */
  const bookings = new Map<string, { booking: string; to: string }>();

  const recipientOf = (about: string): string =>
    [...bookings.values()].find(({ booking }) => booking === about)?.to ?? about;

  async function come(instant: Instant, about: string): Promise<void> {
    instants.push({ instant, about });
    const place = placeOf(instant, about);
    const hold = holds.get(place);
    holds.delete(place);
    await hold?.catch();
  }

  async function answer(request: IncomingMessage): Promise<object> {
    const { instant, about, to, booking } = (await json(request)) as Asked;
    switch (request.url) {
      case '/instants':
        await come(instant, recipientOf(about));
        return {};
      case '/bookings': {
        const key = request.headers['idempotency-key'] as string;
        const made = bookings.get(key) ?? { booking: `booking ${bookings.size + 1}`, to };
        bookings.set(key, made);
        await come('booking', to);
        return { booking: made.booking };
      }
      case '/labels':
        await come('label', recipientOf(booking));
        return { label: `label of ${booking}` };
      default:
        throw new Error(`the carrier knows no ${request.url}`);
    }
  }

  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    answer(request).then(
      (body) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body)),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold(instant, about) {
      const hold = newHold();
      holds.set(placeOf(instant, about), hold);
      return hold;
    },
    instantsOf: (about) => instants.filter((one) => one.about === about).map(({ instant }) => instant),
    bookingsOf: (recipient) =>
      [...bookings.values()].filter(({ to }) => to === recipient).map(({ booking }) => booking),
    async close() {
      for (const hold of holds.values()) hold.release();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const placeOf = (instant: Instant, about: string): string => `${instant}\n${about}`;

function newHold(): Waiting {
  let settle: { release: () => void; fail: () => void };
  let arrived = false;
  const settled = new Promise<void>((resolve, reject) => {
    settle = { release: resolve, fail: () => reject(new Error('the carrier does not feel well')) };
  });
  // Perhaps nobody waits for this promise.
  settled.catch(() => undefined);
  return {
    get arrived() {
      return arrived;
    },
    release: () => settle.release(),
    fail: () => settle.fail(),
    catch: () => {
      arrived = true;
      return settled;
    },
  };
}
