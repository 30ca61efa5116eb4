/** Removes safeguards of the product from outside, for the tests that check that the simulation notices. */
import type { Carrier } from '@shop/fulfilment/testing';
import { PostgresLedger } from '@shop/idempotency';
import type { Statement, Tx } from '@shop/postgres';
import type { Provider } from './simulated-provider';
import type { Gaps } from './replicas';

/** An undo that comes first leaves nothing behind. */
class WithoutTombstones extends PostgresLedger {
  override record(tx: Tx, entries: Parameters<PostgresLedger['record']>[1]): void {
    super.record(
      tx,
      entries.filter(({ fingerprint }) => fingerprint),
    );
  }
}

/** Every claim counts as new. */
class Forgetful extends PostgresLedger {
  override find(): Promise<never[]> {
    return Promise.resolve([]);
  }

  override record(): void {}
}

/** What a charge or its undo learns of the other one is that it is in work, and not more. */
class WithoutMarks extends PostgresLedger {
  override mark(): void {}
}

/** Whoever takes a work over begins from the start. */
class WithoutPoints extends PostgresLedger {
  override savePoints(): Promise<Set<string>> {
    return Promise.resolve(new Set());
  }
}

/** Lets every owner go on behind a point, also one that lost its lease. */
class WithoutFencedPoints extends PostgresLedger {
  override savePoints(...given: Parameters<PostgresLedger['savePoints']>): Promise<Set<string>> {
    return super.savePoints(...given).catch((error: Error) => {
      if (error.name === 'LeaseLostError') return new Set();
      throw error;
    });
  }
}

/** The provider forgets which intents and refunds were asked for under which keys. */
const withNewKeys =
  (...calls: ('createIntent' | 'refund')[]) =>
  (provider: Provider): Provider => {
    let asked = 0;
    const renamed = <Request extends { idempotencyKey: string }>(call: 'createIntent' | 'refund', request: Request) =>
      calls.includes(call) ? { ...request, idempotencyKey: `${request.idempotencyKey}/${++asked}` } : request;
    return {
      ...provider,
      createIntent: (request) => provider.createIntent(renamed('createIntent', request)),
      refund: (request) => provider.refund(renamed('refund', request)),
    };
  };

export const noTombstones: Gaps = { ledger: () => new WithoutTombstones() };
export const nothingUndone: Gaps = { message: ({ undoes: _, ...message }) => message };
export const noLedgerOf = (service: string): Gaps => ({
  ledger: (one) => (one === service ? new Forgetful() : undefined),
});
export const noMarks: Gaps = { ledger: () => new WithoutMarks() };
export const newRefundKeys: Gaps = { provider: withNewKeys('refund') };
/** Names protect, even if the provider remembers no key. */
export const forgetfulProvider: Gaps = { provider: withNewKeys('createIntent') };
export const namesAreLost: Gaps = { ...forgetfulProvider, ledger: () => new WithoutPoints() };
export const noFencedPoints: Gaps = { ...forgetfulProvider, ledger: () => new WithoutFencedPoints() };

type Recall = Awaited<ReturnType<Carrier['recall']>>;

const withRecalls = (changed: (recall: Recall) => Recall): Gaps => ({
  carrier: (carrier) => ({ ...carrier, recall: async (...given) => changed(await carrier.recall(...given)) }),
});

/** The carrier brings a parcel back, and says that it does not. */
export const recallsAreDenied = withRecalls(({ shipment }) => ({
  outcome: 'kept',
  shipment: { ...shipment, status: 'in_transit' },
}));
/** Whatever the carrier says to a recall, it counts as a yes. */
export const recallsAreBelieved = withRecalls(({ shipment }) => ({ outcome: 'recalled', shipment }));

/** A cancelling that was refused goes on, as if the parcel had been stopped. */
export const noPointOfNoReturn: Gaps = {
  message: (message) =>
    (message.data as { reason?: string }).reason === 'already_shipped'
      ? { ...message, data: { outcome: 'succeeded', result: {} } }
      : message,
};

let changes = 0;

/** The statement with this name without some words, or with others instead. */
export const without = (name: string, words: string, instead = ''): Gaps => {
  // A connection knows a statement by its name, and keeps it from one test to the next.
  const other = `${name} with gap ${++changes}`;
  return {
    statement: (statement: Statement) => {
      if (statement.name !== name) return statement;
      if (!statement.text.includes(words)) throw new Error(`${name} has no such words: ${words}`);
      return { name: other, text: statement.text.replace(words, instead) };
    },
  };
};

/** Of two that change statements. */
export const both = (one: Gaps, other: Gaps): Gaps => ({
  statement: (statement) => other.statement!(one.statement!(statement)),
});
