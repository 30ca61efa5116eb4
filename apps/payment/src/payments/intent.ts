/** A charge as the provider shows it. Pure. */

/** Whether the money is taken at once, or only held until it is captured. */
export const captures = ['automatic', 'manual'] as const;
export type Capture = (typeof captures)[number];

/**
 * - `unconfirmed`: it has a name and nothing else. No money moves.
 * - `requires_action`: the customer has to approve it on the page of `url`.
 * - `processing`: the provider waits for a bank. It cannot be cancelled now.
 * - `authorized`: the money is held for us until `until`, and is not taken yet.
 * - `succeeded`: the money is taken.
 * - `declined`, `cancelled`: no money was taken, and none will be.
 */
export type Intent = {
  reference: string;
  /** Of money that is held first: what was taken of it, in minor units. */
  captured?: number;
  /** The names of the captures that the provider has carried out. */
  captures?: readonly string[];
} & (
  | { status: 'unconfirmed' }
  | { status: 'requires_action'; url: string }
  | { status: 'processing' }
  | { status: 'authorized'; until?: string }
  | { status: 'succeeded' }
  | { status: 'declined'; reason: string }
  | { status: 'cancelled' }
);

export type IntentStatus = Intent['status'];

/** Whether there is nothing left that the provider could still do by itself. */
export const isDecided = ({ status }: Pick<Intent, 'status'>): boolean =>
  status === 'authorized' || status === 'succeeded' || status === 'declined' || status === 'cancelled';

/** For a charge of an amount of zero, which no provider is asked for. */
export const NOTHING_TO_PAY: Intent = { status: 'succeeded', reference: 'nothing-to-pay' };
