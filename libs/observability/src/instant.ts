/**
 * Names the instants at which the death of a process would matter. Tests listen in the same process and kill it there
 * (`apps/e2e`). In production nobody listens, and an instant costs only the check for listeners.
 */
import { channel } from 'node:diagnostics_channel';

/** `@shop/postgres` names `commit.before`, `commit.sent` and `commit.after` on the same channel. */
export type InstantName =
  'publish.before' | 'publish.after' | 'ack.before' | 'ack.after' | 'call.before' | 'call.after';

const instants = channel('shop:instant');

/** `about` is data that names the work, such as the messages or the ids of the payment. */
export function instant(name: InstantName, about: unknown): void {
  if (instants.hasSubscribers) instants.publish({ name, about });
}
