/** One replica of the inventory service without Nest, HTTP and broker: its commands, on the ports of the caller. */
import { Idempotency, type Ledger } from '@shop/idempotency';
import { Participant } from '@shop/participant';
import type { Database } from '@shop/postgres';
import { ReservationCommands } from '../src/reservations/reservation-commands';

export function openInventoryReplica({ database, ledger }: { database: Database; ledger: Ledger }) {
  return new Participant('inventory', database, new Idempotency(database, ledger), new ReservationCommands());
}
