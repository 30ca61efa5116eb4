/** The client that the example uses to call the carrier over HTTP. */

/**
 * The places at which a process may be stopped: inside its transactions, around and in its calls, and before it
 * answers.
 */
export const parcelInstants = [
  'packing',
  'before booking',
  'booking',
  'behind booking',
  'noting the booking',
  'before label',
  'label',
  'behind label',
  'finishing',
  'answering',
] as const;
export const noteInstants = ['writing', 'answering'] as const;
export type Instant = (typeof parcelInstants)[number] | (typeof noteInstants)[number];

export class Carrier {
  constructor(private readonly url: string) {}

  /** Takes the parcel once for each key. Returns the number of the booking. */
  async book(key: string, { to }: { to: string }): Promise<string> {
    await this.tell('before booking', to);
    const { booking } = await this.post<{ booking: string }>('bookings', { to }, { 'idempotency-key': key });
    await this.tell('behind booking', to);
    return booking;
  }

  /** The label of a booking is the same for every request. */
  async label(booking: string): Promise<string> {
    await this.tell('before label', booking);
    const { label } = await this.post<{ label: string }>('labels', { booking });
    await this.tell('behind label', booking);
    return label;
  }

  /**
   * For tests only, no real service does this: waits until the carrier has heard of this instant and lets the caller go
   * on.
   * @param about the recipient of a parcel, its booking, or the text of a note
   */
  async tell(instant: Instant, about: string): Promise<void> {
    await this.post('instants', { instant, about });
  }

  private async post<T>(path: string, body: object, headers?: Record<string, string>): Promise<T> {
    const response = await fetch(`${this.url}/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`the carrier answered ${response.status}`);
    return (await response.json()) as T;
  }
}
