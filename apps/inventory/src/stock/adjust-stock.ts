/** Adds or takes pieces once for each request. Stock, movement and stored answer are one transaction. */
import { ApiProperty } from '@nestjs/swagger';
import { SKU } from '@shop/contracts';
import { etagOf } from '@shop/http';
import {
  alreadySubmitted,
  type Answer,
  type Claim,
  type Ledger,
  naturalKeyOf,
  type Outcome,
  refusalOf,
  reusedAnswer,
  runOnce,
} from '@shop/idempotency';
import { type Database, isUniqueViolation } from '@shop/postgres';
import { IsText } from '@shop/validation';
import { IsInt, Max, Min, NotEquals } from 'class-validator';
import type { Stock } from './warehouse';
import { insufficientStock, MAX_ON_HAND, stockNotFound } from './stock-answers';
import { stockJson } from './stock.view';
import { type Adjustment, ADJUSTMENT_NATURAL_KEY, adjustStock, findAdjustment, lockOneStock } from './stock.repository';

export class AdjustmentBody {
  @ApiProperty({ description: 'pieces that came (positive) or went (negative)', example: -3 })
  @IsInt()
  @Min(-MAX_ON_HAND)
  @Max(MAX_ON_HAND)
  @NotEquals(0)
  delta: number;

  @ApiProperty({ example: 'broken' })
  @IsText(100)
  reason: string;
}

export interface AdjustRequest extends Adjustment {
  claim: Claim;
}

interface State {
  stock?: Stock;
  /** The adjustment that was made under this key, even if the ledger has forgotten it. */
  before?: Adjustment;
  adjusted: boolean;
}

export async function adjustOnce(
  { database, ledger }: { database: Database; ledger: Ledger },
  request: AdjustRequest,
): Promise<Outcome> {
  const { tenant, sku, delta, reason, claim } = request;
  const cause = causeOf(claim);
  const [outcome] = await runOnce<State>(
    database,
    ledger,
    [request],
    {
      load: async (tx) => {
        const [stock, before] = await Promise.all([
          SKU.test(sku) ? lockOneStock(tx, tenant, sku) : undefined,
          findAdjustment(tx, cause),
        ]);
        return { stock, before, adjusted: false };
      },
      decide: (state) => decideAdjustment(state, request),
      save: (tx, { stock, adjusted }) => {
        if (stock && adjusted) adjustStock(tx, stock, { delta, reason, cause });
      },
    },
    // Another replica has made it meanwhile. Run again and see it.
    { retryOn: (error) => isUniqueViolation(error, ADJUSTMENT_NATURAL_KEY) },
  );
  return outcome!;
}

function decideAdjustment(state: State, request: AdjustRequest): Answer {
  const { stock, before } = state;
  if (before) return isSame(before, request) ? submittedBefore(before) : reusedAnswer();
  if (!stock) return refusalOf(stockNotFound());
  const onHand = stock.onHand + request.delta;
  if (onHand < stock.reserved || onHand > MAX_ON_HAND) return refusalOf(insufficientStock(stock));
  state.adjusted = true;
  const adjusted = { ...stock, onHand, version: stock.version + 1 };
  return { status: 201, headers: { etag: etagOf(adjusted.version) }, body: JSON.stringify(stockJson(adjusted)) };
}

const isSame = (before: Adjustment, { sku, delta, reason }: Adjustment): boolean =>
  before.sku === sku && before.delta === delta && before.reason === reason;

const submittedBefore = ({ sku }: Adjustment): Answer =>
  refusalOf(
    alreadySubmitted(`/stock/${sku}`, 'this adjustment was made before; the status URL tells the stock as it is now'),
  );

/** The natural key of the request. It includes the principal, so that equal keys of two principals differ. */
const causeOf = (claim: Claim): string => `POST ${naturalKeyOf(claim)}`;
