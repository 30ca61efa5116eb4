/** What the parts of the console are told about this start of it. */
import type { Address } from './figures/addresses';
import type { CookieOptions } from './session/cookie';

/** The services that the page may ask, by the name in its addresses. */
export const asked = ['order', 'inventory', 'payment', 'fulfilment'] as const;
export type Asked = (typeof asked)[number];

export class ConsoleSettings {
  urls: Record<Asked, string>;
  /** Where browsers find the console; without it, the host that they name. */
  origin?: string;
  cookie: CookieOptions;
  metrics: readonly Address[];
  logDir?: string;
  logUrl?: string;
  traceUrl?: string;
  /** Where the built page is. */
  pageDir: string;
}
