/** The tables of the example. Each transaction tells the carrier about itself, so that a test can stop it there. */
import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Statement, Tx } from '@shop/postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Carrier } from './example-carrier';

export interface Note {
  text: string;
}

export interface Parcel {
  to: string;
}

/** These tables have no constraint against a second row, so a test would see one. */
export class CreateExample1760000001000 implements MigrationInterface {
  name = 'CreateExample1760000001000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create table note (id uuid primary key, text text not null)');
    await runner.query('create table parcel (id uuid primary key, recipient text not null, booking text, label text)');
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}

const insertNote: Statement = { name: 'example.insert-note', text: 'insert into note values ($1, $2)' };
const insertParcel: Statement = {
  name: 'example.insert-parcel',
  text: 'insert into parcel (id, recipient) values ($1, $2)',
};
const setBooking: Statement = {
  name: 'example.set-booking',
  text: 'update parcel set booking = $2 where id = $1 returning recipient',
};
const setLabel: Statement = {
  name: 'example.set-label',
  text: 'update parcel set label = $2 where id = $1 returning recipient',
};

@Injectable()
export class Rows {
  constructor(private readonly carrier: Carrier) {}

  async insertNote(tx: Tx, { text }: Note): Promise<string> {
    const id = randomUUID();
    await tx.query(insertNote, [id, text]);
    await this.carrier.tell('writing', text);
    return id;
  }

  async insertParcel(tx: Tx, { to }: Parcel): Promise<string> {
    const id = randomUUID();
    await tx.query(insertParcel, [id, to]);
    await this.carrier.tell('packing', to);
    return id;
  }

  async setBooking(tx: Tx, id: string, booking: string): Promise<string> {
    const [parcel] = await tx.query<{ recipient: string }>(setBooking, [id, booking]);
    await this.carrier.tell('noting the booking', parcel!.recipient);
    return booking;
  }

  async setLabel(tx: Tx, id: string, label: string): Promise<void> {
    const [parcel] = await tx.query<{ recipient: string }>(setLabel, [id, label]);
    await this.carrier.tell('finishing', parcel!.recipient);
  }
}
