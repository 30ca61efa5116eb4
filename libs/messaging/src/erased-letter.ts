/** What is left of a dead letter when the data of a person or of a tenant is erased. Pure. */
import type { DeadLetter } from './dead-letter';

/** Whose data is erased: one customer's of the tenant, or all of the tenant's. */
export interface DataSubject {
  tenant: string;
  customerId?: string;
  /** What messages call the customer where they do not name them. */
  alias?: string;
}

/** What stands in the place of what was erased. */
export const ERASED = 'erased';

/** Sealed tokens begin so. Anything else in their place is a token in clear, which an earlier release has sent. */
const SEALED = 'sealed.';

export type Letter = Pick<DeadLetter, 'id' | 'tenant' | 'readable' | 'cut' | 'state' | 'acts' | 'lastError'> & {
  content: Buffer;
};
export type Verdict = 'keep' | 'delete' | Pick<Letter, 'acts' | 'lastError' | 'content'>;

/**
 * All letters of a tenant are deleted with it. For a customer, only what names the customer is replaced, and the tokens
 * in clear of what is not open any more; a letter that nobody can read is deleted if it has the name in quotes.
 */
export function verdictOn(letter: Letter, { tenant, customerId, alias }: DataSubject): Verdict {
  const { acts, lastError, content } = letter;
  const isWhole = letter.readable && !letter.cut;
  if (customerId === undefined) {
    return letter.tenant === tenant || content.includes(JSON.stringify(tenant)) ? 'delete' : 'keep';
  }
  const names = alias === undefined ? [customerId] : [customerId, alias];
  if (!isWhole) return names.some((name) => content.includes(JSON.stringify(name))) ? 'delete' : 'keep';
  if (letter.tenant !== tenant) return 'keep';
  const left = {
    acts: acts.map((act) => (act.reason.includes(customerId) ? { ...act, reason: ERASED } : act)),
    lastError: lastError.includes(customerId) ? ERASED : lastError,
    content: contentWithout(content, { customerId, alias }, letter.state !== 'open'),
  };
  const isSame =
    left.content === content && left.lastError === lastError && left.acts.every((act, index) => act === acts[index]);
  return isSame ? 'keep' : left;
}

/** The same buffer when nothing in it has to go. */
function contentWithout(
  content: Buffer,
  { customerId, alias }: Pick<DataSubject, 'customerId' | 'alias'>,
  tokens: boolean,
): Buffer {
  let changed = false;
  const message = JSON.parse(content.toString(), (name, value: unknown) => {
    const isCustomer = name === 'customerId' && value === customerId;
    const isAlias = name === 'customer' && alias !== undefined && value === alias;
    if (isCustomer || isAlias) changed = true;
    // Another text in its place would be no alias, and the message could not be replayed.
    if (isAlias) return undefined;
    return isCustomer ? ERASED : value;
  }) as { data?: { source?: unknown } };
  const source = message.data?.source;
  if (tokens && typeof source === 'string' && source !== ERASED && !source.startsWith(SEALED)) {
    message.data!.source = ERASED;
    changed = true;
  }
  return changed ? Buffer.from(JSON.stringify(message)) : content;
}
