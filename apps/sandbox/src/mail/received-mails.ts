/** The mails that the mail server took, oldest first. One that comes again under its name is counted and not kept twice. */

export interface ReceivedMail {
  /** Of this sandbox, such as `mail_7`. */
  id: string;
  /** Null when the mail has no name. Then it is a new one each time. */
  messageId: string | null;
  /** The addresses of the envelope, which decide where it goes. */
  from: string;
  to: string[];
  subject: string;
  /** When it was written, as it says itself: ISO time. */
  writtenAt: string | null;
  text: string;
  html: string | null;
  /** How often it came. */
  receivedCount: number;
}

export type NewMail = Omit<ReceivedMail, 'id' | 'receivedCount'>;

/** Enough for a long test. Then the oldest one goes. */
const MAX_MAILS = 10_000;

export class ReceivedMails {
  private readonly mails = new Map<string, ReceivedMail>();
  /** The ids by what mails are named. */
  private readonly named = new Map<string, string>();
  private count = 0;

  constructor(private readonly max = MAX_MAILS) {}

  /** @returns whether it is a new one */
  keep(mail: NewMail): boolean {
    const known = mail.messageId === null ? undefined : this.named.get(mail.messageId);
    if (known !== undefined) {
      this.mails.get(known)!.receivedCount += 1;
      return false;
    }
    const id = `mail_${(this.count += 1)}`;
    this.mails.set(id, { ...mail, id, receivedCount: 1 });
    if (mail.messageId !== null) this.named.set(mail.messageId, id);
    if (this.mails.size > this.max) this.forgetOldest();
    return true;
  }

  find(id: string): ReceivedMail | undefined {
    return this.mails.get(id);
  }

  /** @param to only those to this address, whatever its case */
  list(to?: string): ReceivedMail[] {
    const all = [...this.mails.values()];
    if (to === undefined) return all;
    const wanted = to.toLowerCase();
    return all.filter((mail) => mail.to.some((address) => address.toLowerCase() === wanted));
  }

  clear(): void {
    this.mails.clear();
    this.named.clear();
  }

  private forgetOldest(): void {
    for (const { id, messageId } of this.mails.values()) {
      this.mails.delete(id);
      if (messageId !== null) this.named.delete(messageId);
      return;
    }
  }
}
