/** A small participant for the tests: a shed that keeps boxes, and asks a carrier to fetch them. */
import { randomUUID } from 'node:crypto';
import type { LeasedWork } from '@shop/idempotency';
import { defineCommand, type Message, newMessage } from '@shop/messaging';
import { type Database, rowsOf, type Statement, type Tx } from '@shop/postgres';
import { IsString } from 'class-validator';
import { answerOf, type Command, type CommandSet, type Decision, on, refused, succeeded } from '../src';

class BoxBody {
  @IsString()
  box: string;
}

const commandOf = (name: string) => defineCommand({ service: 'shed', name, version: 1, body: BoxBody });
/** Done in memory: a box is put in, and taken out again. */
export const PutIn = commandOf('put-in');
export const TakeOut = commandOf('take-out');
/** Done outside: the carrier is told to fetch a box, and the undo cancels this. */
export const Fetch = commandOf('fetch');
export const CallOff = commandOf('call-off');
/** Done outside in two steps: the carrier is booked, and then confirmed, unless the undo has come meanwhile. */
export const Hire = commandOf('hire');

interface Box {
  box: string;
  put: number;
  taken: number;
  booking: string | null;
  off: number;
}
type Boxes = Map<string, Box>;

/** Answers when the test lets it. The same key always gets the same booking. */
export class FakeCarrier {
  readonly calls: string[] = [];
  readonly confirmed: string[] = [];
  /** The keys of the calls that wait until the test lets them go on. */
  private readonly held = new Map<string, () => void>();
  holds = false;

  async fetch(key: string): Promise<string> {
    this.calls.push(key);
    if (this.holds) await new Promise<void>((resolve) => this.held.set(`${key} ${this.calls.length}`, resolve));
    return `booking of ${key}`;
  }

  get waiting(): number {
    return this.held.size;
  }

  letGo(): void {
    this.holds = false;
    for (const resolve of this.held.values()) resolve();
    this.held.clear();
  }
}

export class ShedCommands implements CommandSet<Boxes> {
  readonly handlers = [
    on<Boxes, BoxBody>(PutIn, (boxes, { body }) => {
      boxOf(boxes, body).put++;
      return succeeded({ box: body.box });
    }),
    on<Boxes, BoxBody>(TakeOut, (boxes, { body }) => {
      const box = boxOf(boxes, body);
      if (box.put > box.taken) box.taken++;
      return succeeded();
    }),
    on<Boxes, BoxBody>(Fetch, decideFetch),
    on<Boxes, BoxBody>(Hire, (_, { id, body }) => ({ leased: 'hire', input: { box: body.box, key: id } })),
    on<Boxes, BoxBody>(CallOff, (boxes, { body }) => {
      const box = boxOf(boxes, body);
      if (box.booking) box.off++;
      return succeeded({ calledOff: box.booking });
    }),
  ];
  readonly calls = {
    fetch: async (work: LeasedWork, { box, key }: { box: string; key: string }) => {
      const booking = await this.carrier.fetch(key);
      return work.finishWith(answerOf(succeeded({ booking })), saveBookings, { box, booking });
    },
    hire: async (work: LeasedWork, { box, key }: { box: string; key: string }) => {
      const book = () => this.carrier.fetch(key);
      const { booking } = await work.callWith('booked', book, saveBookings, (booked) => ({ box, booking: booked }));
      if (work.undone) {
        return work.finishWith(answerOf(refused('not_wanted')), saveBookings, { box, booking: null });
      }
      this.carrier.confirmed.push(key);
      return work.finishWith(answerOf(succeeded({ booking })), saveBookings, { box, booking });
    },
  };

  constructor(private readonly carrier: FakeCarrier) {}

  async load(tx: Tx, commands: readonly Command[]): Promise<Boxes> {
    const names = commands.map(({ body }) => (body as BoxBody).box);
    return new Map((await tx.query<Box>(lockBoxes, [names])).map((box) => [box.box, box]));
  }

  save(tx: Tx, boxes: Boxes): void {
    tx.send(saveBoxes, [rowsOf([...boxes.values()].map(({ box, put, taken, off }) => ({ box, put, taken, off })))]);
  }
}

function decideFetch(boxes: Boxes, { id, body }: Command<BoxBody>): Decision {
  if (body.box.startsWith('nailed')) return refused('nailed_down');
  const { box } = boxOf(boxes, body);
  return { leased: 'fetch', input: { box, key: id } };
}

function boxOf(boxes: Boxes, { box }: BoxBody): Box {
  const known = boxes.get(box) ?? { box, put: 0, taken: 0, booking: null, off: 0 };
  boxes.set(box, known);
  return known;
}

/** A command and its undo for their own box. */
export function newPair(doing = PutIn, undoing = TakeOut, box: string = randomUUID()) {
  const id = `${box}/step/do`;
  const envelope = { source: 'test', subject: box, data: { box } };
  const ask: Message = newMessage({ ...envelope, id, type: doing.type });
  const undo: Message = newMessage({ ...envelope, id: `${box}/step/undo`, type: undoing.type, undoes: id });
  return { box, do: ask, undo };
}

export async function createShed(database: Database): Promise<void> {
  await database.query({
    name: 'shed.create',
    text: `create table box (
      box text primary key, put int not null default 0, taken int not null default 0, booking text, off int not null default 0)`,
  });
}

export async function findBox(database: Database, box: string): Promise<Box | undefined> {
  return (await database.query<Box>(selectBox, [box]))[0];
}

const selectBox: Statement = {
  name: 'shed.select',
  text: 'select box, put, taken, booking, off from box where box = $1',
};
const lockBoxes: Statement = {
  name: 'shed.lock',
  text: 'select box, put, taken, booking, off from box where box = any($1) order by box for update',
};
const saveBoxes: Statement = {
  name: 'shed.save',
  text: `
    insert into box (box, put, taken, off)
    select box, put, taken, off from jsonb_to_recordset($1::jsonb) as b (box text, put int, taken int, off int) order by box
    on conflict (box) do update set put = excluded.put, taken = excluded.taken, off = excluded.off`,
};
const setBookings: Statement = {
  name: 'shed.set-bookings',
  text: `
    update box b set booking = n.booking
    from jsonb_to_recordset($1::jsonb) as n (box text, booking text) where b.box = n.box`,
};

function saveBookings(tx: Tx, bookings: readonly { box: string; booking: string | null }[]): void {
  tx.send(setBookings, [rowsOf(bookings.map(({ box, booking }) => ({ box, booking })))]);
}
