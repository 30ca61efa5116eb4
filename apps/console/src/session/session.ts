/** A session: the key of an operator, sealed into a cookie, so that the console keeps nothing and scripts see nothing. */
import { hash } from 'node:crypto';
import { type Sealer, UnopenedError } from '@shop/sealing';

export interface Session {
  /** The API key with which the services are asked. */
  key: string;
  /** Whether the operator may see what belongs to no tenant: the figures and logs of the whole system. */
  isPlatform: boolean;
  /** In milliseconds of the time of day. */
  until: number;
}

/** A working day. */
export const SESSION_SECONDS = 8 * 3_600;
/** A cookie for another purpose does not open as a session. */
const PLACE = 'console/session';
/** Longer than that of any key; browsers send no longer cookie either. */
const MAX_COOKIE_LENGTH = 4_096;

export class Sessions {
  constructor(
    private readonly sealer: Sealer,
    private readonly now: () => number,
  ) {}

  seal(who: Pick<Session, 'key' | 'isPlatform'>): string {
    const session: Session = { ...who, until: this.now() + SESSION_SECONDS * 1_000 };
    return this.sealer.seal(JSON.stringify(session), PLACE);
  }

  /** Undefined when it is over, or was not made here. */
  open(cookie: string | undefined): Session | undefined {
    // The sealer lets through what is not sealed, which here is a forgery.
    if (!cookie?.startsWith('sealed.') || cookie.length > MAX_COOKIE_LENGTH) return undefined;
    try {
      const session = JSON.parse(this.sealer.open(cookie, PLACE)) as Session;
      return session.until > this.now() ? session : undefined;
    } catch (error) {
      if (error instanceof UnopenedError) return undefined;
      throw error;
    }
  }
}

/** By which two operators see that they have signed in with the same key. It does not tell the key. */
export const markOf = (key: string): string => hash('sha256', `console ${key}`, 'hex').slice(0, 8);
