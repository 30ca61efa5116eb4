/** What the tax service was told: transactions, and refunds of them. Each is there once. */
import type { Journal } from '../stripe/journal';
import { taxIn } from './tax-rates';
import type { RefundRequest, TaxOfRate, TransactionRequest } from './tax-request';

export interface TaxTransaction extends TransactionRequest {
  /** As the caller has named it. */
  number: string;
  refunds: Omit<RefundRequest, 'currency'>[];
}

export type TaxEntry = { number: string; transaction: TransactionRequest } | { number: string; refund: RefundRequest };

/** What is wrong with what was told; `duplicate`: it was told before. */
export type TaxRefusal =
  'duplicate' | 'tax_does_not_match' | 'unknown_transaction' | 'currency_does_not_match' | 'refund_exceeds_transaction';

export class TaxBooks {
  private readonly transactions = new Map<string, TaxTransaction>();

  constructor(private readonly journal: Journal<TaxEntry>) {
    for (const entry of journal.entries) this.apply(entry);
  }

  /** Undefined when it is kept now. */
  commit(number: string, transaction: TransactionRequest): TaxRefusal | undefined {
    if (this.transactions.has(number)) return 'duplicate';
    if (!transaction.rates.every(isRight)) return 'tax_does_not_match';
    this.keep({ number, transaction });
    return undefined;
  }

  refund(number: string, refund: RefundRequest): TaxRefusal | undefined {
    const transaction = this.transactions.get(number);
    if (!transaction) return 'unknown_transaction';
    if (transaction.refunds.some(({ reference }) => reference === refund.reference)) return 'duplicate';
    if (transaction.currency !== refund.currency) return 'currency_does_not_match';
    if (sum(refund.rates, 'gross') !== refund.amount) return 'tax_does_not_match';
    const parts = [...transaction.refunds, refund].flatMap(({ rates }) => rates);
    if (!parts.every((part) => isWithin(part.rate, parts, transaction))) return 'refund_exceeds_transaction';
    this.keep({ number, refund });
    return undefined;
  }

  all(): TaxTransaction[] {
    return [...this.transactions.values()];
  }

  clear(): void {
    this.journal.clear();
    this.transactions.clear();
  }

  private keep(entry: TaxEntry): void {
    this.journal.append(entry);
    this.apply(entry);
  }

  private apply(entry: TaxEntry): void {
    const { number } = entry;
    if ('transaction' in entry) {
      const { currency, rates } = entry.transaction;
      this.transactions.set(number, { number, currency, rates, refunds: [] });
    } else {
      const { reference, amount, rates } = entry.refund;
      this.transactions.get(number)?.refunds.push({ reference, amount, rates });
    }
  }
}

const isRight = ({ rate, gross, net, tax }: TaxOfRate): boolean => net + tax === gross && tax === taxIn(gross, rate);

/** Whether all refunds of a rate are no more than the transaction has of it. */
function isWithin(rate: number, parts: readonly TaxOfRate[], { rates }: TransactionRequest): boolean {
  const own = parts.filter((part) => part.rate === rate);
  const whole = rates.filter((part) => part.rate === rate);
  return (['gross', 'net', 'tax'] as const).every((part) => sum(own, part) <= sum(whole, part));
}

function sum(rates: readonly TaxOfRate[], part: 'gross' | 'net' | 'tax'): number {
  return rates.reduce((total, rate) => total + rate[part], 0);
}
