/** Brings parcels to their recipients by itself, some time after they were taken. */
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { CarrierBooks } from './carrier-books';
import { CarrierRules } from './carrier-settings';
import type { Shipment } from './shipment';

const EVERY_MS = 250;

@Injectable()
export class Delivering implements OnModuleInit, OnModuleDestroy {
  private timer?: NodeJS.Timeout;
  /** Those that are not there yet, in the order in which they were taken, so that a look ends at the first one that is not due. */
  private readonly taken = new Map<string, Shipment>();
  private readonly onTheWay = new Map<string, Shipment>();

  constructor(
    private readonly books: CarrierBooks,
    private readonly rules: CarrierRules,
  ) {
    for (const shipment of books.all()) this.note(shipment);
    books.onChange((shipment) => this.note(shipment));
  }

  onModuleInit(): void {
    this.timer = setInterval(() => this.look(), EVERY_MS);
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private note(shipment: Shipment): void {
    this.taken.delete(shipment.id);
    this.onTheWay.delete(shipment.id);
    if (shipment.status === 'accepted') this.taken.set(shipment.id, shipment);
    if (shipment.status === 'in_transit') this.onTheWay.set(shipment.id, shipment);
  }

  private look(): void {
    const { deliverySeconds } = this.rules.current();
    this.moveDue(this.onTheWay, 'delivered', deliverySeconds);
    this.moveDue(this.taken, 'in_transit', deliverySeconds / 2);
  }

  private moveDue(waiting: Map<string, Shipment>, status: 'in_transit' | 'delivered', seconds: number): void {
    const upto = this.books.world.nowMs() - seconds * 1_000;
    for (const { id, atMs } of [...waiting.values()]) {
      if (atMs > upto) return;
      // The books may have been emptied meanwhile.
      if (this.books.find(id)) this.books.move(id, status);
      else waiting.delete(id);
    }
  }
}
