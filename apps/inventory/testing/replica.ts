/**
 * One replica of the inventory service without Nest, HTTP and broker: its decisions and handlers, on the ports of the
 * caller.
 */
import { Idempotency, type Ledger } from '@shop/idempotency';
import type { Logger } from '@shop/observability';
import { Participant } from '@shop/participant';
import type { Database } from '@shop/postgres';
import { ExpiringReservations } from '../src/reservations/expiring-reservations';
import { FillingBackorders } from '../src/reservations/filling-backorders';
import { ReservationCommands } from '../src/reservations/reservation-commands';
import { ReservationsService } from '../src/reservations/reservations.service';
import type { Shelf } from '../src/stock/shelf';
import { StockService } from '../src/stock/stock.service';

export interface InventoryPorts {
  database: Database;
  ledger: Ledger;
  orderReservationSeconds?: number;
}

/** Takes the commands of sagas. */
export function openInventoryReplica({ database, ledger, orderReservationSeconds = 259_200 }: InventoryPorts) {
  const commands = new ReservationCommands({ orderReservationSeconds });
  return new Participant('inventory', database, new Idempotency(database, ledger), commands);
}

export interface WholeInventoryPorts extends InventoryPorts {
  logger: Logger;
  /** Pieces have come, for which somebody may wait. */
  onPieces: () => void;
}

export interface WholeInventory {
  commands: Participant<Shelf>;
  reservations: Pick<ReservationsService, 'reserve' | 'release'>;
  stock: Pick<StockService, 'adjust'>;
  /** Not started. The caller decides when it looks. */
  expiring: Pick<ExpiringReservations, 'expireDue'>;
  filling: Pick<FillingBackorders, 'fillDue'>;
}

/** What clients ask for, too, and what the timers do. */
export function openWholeInventory(ports: WholeInventoryPorts): WholeInventory {
  const { database, ledger, logger, onPieces, orderReservationSeconds = 259_200 } = ports;
  const filling = new FillingBackorders(database, logger);
  const woken = Object.assign(filling, { expectNow: onPieces });
  const expiring = new ExpiringReservations(database, logger, onPieces);
  const commands = new ReservationCommands({ orderReservationSeconds, wakeFilling: onPieces });
  // What they read without a transaction, only HTTP asks for.
  const entities = undefined as never;
  return {
    commands: new Participant('inventory', database, new Idempotency(database, ledger), commands),
    reservations: new ReservationsService(entities, database, ledger, expiring, woken),
    stock: new StockService(entities, database, ledger, woken),
    expiring,
    filling,
  };
}
