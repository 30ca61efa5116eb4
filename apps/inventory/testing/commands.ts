/** The commands of sagas as messages, and their replies, for tests. */
import { ConfirmReservation, ReleaseStock, ReserveStock, RestockReservation, type StockLine } from '@shop/contracts';
import { type Message, newMessage, type Reply } from '@shop/messaging';

/** The tenant of all commands. */
export const tenant = 'acme';

function command(id: string, action: string, type: string, data: object): Message {
  const message = { id: `${id}/${action}`, type, source: 'order', subject: id };
  return newMessage({ ...message, data: { tenant, reservationId: id, ...data } });
}

export function reserve(id: string, lines: StockLine[], more: { takes?: string; customer?: string } = {}): Message {
  return command(id, 'reserve/do', ReserveStock.type, { lines, ...more });
}

export function release(id: string): Message {
  return { ...command(id, 'reserve/undo', ReleaseStock.type, {}), undoes: `${id}/reserve/do` };
}

export function confirm(id: string): Message {
  return command(id, 'confirm/do', ConfirmReservation.type, {});
}

export function restock(id: string): Message {
  return command(id, 'restock/do', RestockReservation.type, {});
}

export function succeeded(): Reply {
  return { outcome: 'succeeded' };
}

export function said(result: string): Reply {
  return { outcome: 'succeeded', result: { result } };
}

export function released(held: boolean): Reply {
  return said(held ? 'released' : 'nothing_held');
}

export function refused(reason: string): Reply {
  return { outcome: 'refused', reason };
}

export const line = (sku: string, quantity: number): StockLine => ({ sku, quantity });
