/**
 * Names the instants at which the death of a process would matter, for whoever listens in the same process: the tests
 * that kill it there (`apps/e2e`). In production nobody does, and an instant costs the look whether somebody does.
 */
import { channel } from 'node:diagnostics_channel';

/** `@shop/postgres` tells of `commit.before`, `commit.sent` and `commit.after` on the same channel. */
export type InstantName =
  'publish.before' | 'publish.after' | 'ack.before' | 'ack.after' | 'call.before' | 'call.after';

const instants = channel('shop:instant');

/** `about` is what is at hand there and names the work: the messages, the ids of the payment. */
export function instant(name: InstantName, about: unknown): void {
  if (instants.hasSubscribers) instants.publish({ name, about });
}
