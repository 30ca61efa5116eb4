/**
 * The carrier, asked over HTTP. A request to take a parcel has the parcel's reference as its key. The carrier may forget
 * its keys and not its references, so what may be a repeat is looked up first.
 */
import { Dependency, OutsideClient, type OutsideAnswer, Pace, RetryableError, TerminalError } from '@shop/resilience';
import { validate } from '@shop/validation';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsIn, IsOptional, Matches, MaxLength, ValidateNested } from 'class-validator';
import { type Carrier, NotTakenError, type Parcel, type Shipment } from './carrier';
import { shipmentStatuses, type ShipmentStatus } from './delivery';

export interface HttpCarrierOptions {
  /** Its address, with everything before `/carrier/v1`. */
  url: string;
  apiKey: string;
  /** How many calls a second this process makes at most. */
  perSecond: number;
  /** What tests replace. */
  dependency?: Dependency;
}

/** For one try; and for a call with all its tries. */
const TIMEOUT_MS = 5_000;
const TOTAL_MS = 20_000;
/** At so many calls at once a carrier is slow by itself. */
const CALLS_AT_ONCE = 16;
/** More than the workers of one process and the stops of a busy hour ask at once. */
const MAX_WAITING = 500;
const MAX_CODE_LENGTH = 60;
/** It has read the parcel and judged it. 401, 403 and 404 tell of our key and our address, which somebody mends. */
const JUDGED = [400, 402, 413, 415, 422];

const OTHERS_TEXT = /^[A-Za-z0-9][\w ./-]{0,99}$/;

export class SeenShipment {
  @Matches(/^[\w-]{1,100}$/) id: string;
  @Matches(/^[\w-]{1,100}$/) reference: string;
  @IsIn(shipmentStatuses) status: ShipmentStatus;
  @IsOptional() @Matches(OTHERS_TEXT) trackingNumber?: string | null;
  @IsOptional() @MaxLength(500) @Matches(/^https?:\/\/[!-~]+$/) labelUrl?: string | null;
}

class SeenShipments {
  @IsArray() @ArrayMaxSize(100) @ValidateNested({ each: true }) @Type(() => SeenShipment) items: SeenShipment[];
}

export const shipmentOf = ({ id, reference, status, trackingNumber, labelUrl }: SeenShipment): Shipment => ({
  id,
  reference,
  status,
  trackingNumber: trackingNumber ?? undefined,
  labelUrl: labelUrl ?? undefined,
});

interface Asked {
  method?: 'POST';
  turn: string;
  idempotencyKey?: string;
  body?: object;
}

export class HttpCarrier implements Carrier {
  private readonly client: OutsideClient;
  private readonly pace: Pace;
  private readonly base: string;

  constructor(private readonly options: HttpCarrierOptions) {
    this.client = new OutsideClient(options.dependency ?? carrierDependency());
    this.pace = new Pace({ perSecond: options.perSecond });
    this.base = `${options.url.replace(/\/+$/, '')}/carrier/v1/shipments`;
  }

  async handOver({ reference, service, recipient, lines }: Parcel, turn: string): Promise<Shipment> {
    const body = { reference, service, recipient, lines };
    const answer = await this.ask('', { method: 'POST', turn, idempotencyKey: reference, body });
    if (answer.status === 200 || answer.status === 201) return this.shipmentIn(answer, reference);
    if (JUDGED.includes(answer.status)) throw new NotTakenError(codeIn(answer) ?? `carrier_${answer.status}`);
    // It has one under this reference or this key already, or is just taking it.
    const found = answer.status === 409 ? await this.find(reference, turn) : undefined;
    if (found) return found;
    throw notUsable(answer);
  }

  async find(reference: string, turn: string): Promise<Shipment | undefined> {
    const answer = await this.ask(`?reference=${encodeURIComponent(reference)}`, { turn });
    if (answer.status !== 200) throw notUsable(answer);
    const read = validate(SeenShipments, jsonIn(answer), { unknownProperties: 'drop' });
    if (!read.ok || read.value.items.some((one) => one.reference !== reference)) throw notUsable(answer);
    const [seen] = read.value.items;
    return seen && shipmentOf(seen);
  }

  async recall(
    { id, reference }: Pick<Shipment, 'id' | 'reference'>,
    turn: string,
  ): Promise<{ outcome: 'recalled' | 'kept'; shipment: Shipment }> {
    const path = `/${encodeURIComponent(id)}/recall`;
    const answer = await this.ask(path, { method: 'POST', turn, idempotencyKey: `${reference}/recall` });
    if (answer.status === 200) return { outcome: 'recalled', shipment: this.shipmentIn(answer, reference) };
    if (answer.status !== 409 || codeIn(answer) !== 'not_recallable') throw notUsable(answer);
    const shipment = await this.find(reference, turn);
    if (!shipment) throw notUsable(answer);
    return { outcome: shipment.status === 'recalled' ? 'recalled' : 'kept', shipment };
  }

  private async ask(path: string, { method, turn, idempotencyKey, body }: Asked): Promise<OutsideAnswer> {
    await this.pace.take();
    const answering = this.client.request(this.base + path, {
      method,
      turn,
      idempotencyKey,
      headers: {
        authorization: `Bearer ${this.options.apiKey}`,
        accept: 'application/json',
        ...(body && { 'content-type': 'application/json' }),
      },
      body: body && JSON.stringify(body),
    });
    return answering.catch((cause: unknown) => {
      if (cause instanceof RetryableError || cause instanceof TerminalError) throw cause;
      throw new RetryableError('the carrier cannot be reached', { cause });
    });
  }

  private shipmentIn(answer: OutsideAnswer, reference: string): Shipment {
    const read = validate(SeenShipment, jsonIn(answer), { unknownProperties: 'drop' });
    if (!read.ok || read.value.reference !== reference) throw notUsable(answer);
    return shipmentOf(read.value);
  }
}

export const carrierDependency = (): Dependency =>
  new Dependency({
    name: 'carrier',
    calls: CALLS_AT_ONCE,
    maxWaiting: MAX_WAITING,
    timeoutMs: TIMEOUT_MS,
    totalMs: TOTAL_MS,
  });

/** The body is not repeated: it may have an address in it. */
const notUsable = ({ status }: OutsideAnswer): RetryableError =>
  new RetryableError(`the carrier answered ${status}, with which nothing can be done`);

/** The carrier's own code, which is a word and tells nothing of a person. */
function codeIn(answer: OutsideAnswer): string | undefined {
  const { code } = (jsonIn(answer) ?? {}) as { code?: unknown };
  return typeof code === 'string' && /^[a-z0-9_]+$/.test(code) && code.length <= MAX_CODE_LENGTH ? code : undefined;
}

/** Undefined where it is none, which is of no form that we know. */
function jsonIn({ body }: OutsideAnswer): object | undefined {
  try {
    const read = JSON.parse(body) as unknown;
    return typeof read === 'object' && read !== null ? read : undefined;
  } catch {
    return undefined;
  }
}
