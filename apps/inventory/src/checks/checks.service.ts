/** Checks the numbers of stock, and repairs those of one SKU once for each request. */
import { Injectable } from '@nestjs/common';
import { SKU } from '@shop/contracts';
import { type Answer, answerWith, type Claim, Ledger, type Outcome, refusalOf, runOnce } from '@shop/idempotency';
import { Database } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { rebuildHoldings } from '../stock/customer-holdings';
import { stockNotFound } from '../stock/stock-answers';
import { lockOneStock } from '../stock/stock.repository';
import { type ChecksPage, findNumbers, findNumbersOf, insertRepair, rewriteNumbers } from './checks.repository';
import { checkOf, type FoundNumbers, repaired, type StockCheckView } from './stock-check';

export interface RepairRequest {
  claim: Claim;
  tenant: string;
  sku: string;
  by: string;
  reason: string;
}

interface State {
  found?: FoundNumbers;
  after?: StockCheckView;
}

@Injectable()
export class ChecksService {
  constructor(
    private readonly database: Database,
    private readonly ledger: Ledger,
  ) {}

  list(page: ChecksPage): Promise<FoundNumbers[]> {
    return findNumbers(this.database, page);
  }

  /**
   * Whoever changes what the numbers are made of has locked the row of the stock until its commit. So behind this lock
   * the reservations are seen as they are, and stay so; they need no locks of their own.
   */
  async repair(request: RepairRequest): Promise<Outcome> {
    const { tenant, sku, by, reason } = request;
    const [outcome] = await runOnce<State>(this.database, this.ledger, [request], {
      load: async (tx) => {
        const stock = SKU.test(sku) ? await lockOneStock(tx, tenant, sku) : undefined;
        return stock ? { found: await findNumbersOf(tx, tenant, sku) } : {};
      },
      decide: decideRepair,
      save: (tx, { found, after }) => {
        if (!found || !after) return;
        rewriteNumbers(tx, tenant, found);
        rebuildHoldings(tx, tenant, sku);
        insertRepair(tx, { tenant, sku, by, reason, before: checkOf(found), after });
      },
    });
    return outcome!;
  }
}

function decideRepair(state: State): Answer {
  const { found } = state;
  if (!found) return refusalOf(stockNotFound());
  const after = repaired(found);
  if (!after) return refusalOf(repairImpossible());
  state.after = after;
  return answerWith(201, after);
}

const repairImpossible = () =>
  new Problem(
    409,
    'repair_impossible',
    'the open reservations hold more pieces than are on hand; count the pieces first, or release reservations',
  );
