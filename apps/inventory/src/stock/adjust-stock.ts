/** Adds or takes pieces once for each request. Stock, movement and stored answer are one transaction. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
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
import { IsInt, IsOptional, Matches, Max, Min, NotEquals } from 'class-validator';
import {
  insufficientStock,
  locationNotFound,
  locationRequired,
  MAX_ON_HAND,
  PLACE,
  stockIsBundle,
  stockNotFound,
} from './stock-answers';
import { MAIN, type Movement } from './stock';
import { type ShownStock, stockJson } from './stock.view';
import { type Adjustment, ADJUSTMENT_NATURAL_KEY, findAdjustment } from './stock.repository';
import { adjustPlacedStock, lockPlacedStock } from './stock-settings.repository';

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

  @ApiPropertyOptional({ description: 'where; needed for a SKU with several locations', example: 'berlin' })
  @IsOptional()
  @Matches(PLACE, { message: 'location must be 1 to 64 of A-Z a-z 0-9 . _ -' })
  location?: string;
}

export interface AdjustRequest extends Adjustment {
  claim: Claim;
}

interface State {
  shown?: ShownStock;
  /** The adjustment that was made under this key, even if the ledger has forgotten it. */
  before?: Adjustment;
  change?: Omit<Movement, 'tenant' | 'sku'>;
}

export async function adjustOnce(
  { database, ledger }: { database: Database; ledger: Ledger },
  request: AdjustRequest,
): Promise<Outcome> {
  const { tenant, sku } = request;
  const cause = causeOf(request.claim);
  const [outcome] = await runOnce<State>(
    database,
    ledger,
    [request],
    {
      load: async (tx) => {
        const [shown, before] = await Promise.all([
          SKU.test(sku) ? lockPlacedStock(tx, tenant, sku) : undefined,
          findAdjustment(tx, cause),
        ]);
        return { shown, before };
      },
      decide: (state) => decideAdjustment(state, request, cause),
      save: (tx, { shown, change }) => {
        if (shown && change) adjustPlacedStock(tx, shown.stock, change);
      },
    },
    // Another replica has made it meanwhile. Run again and see it.
    { retryOn: (error) => isUniqueViolation(error, ADJUSTMENT_NATURAL_KEY) },
  );
  return outcome!;
}

function decideAdjustment(state: State, request: AdjustRequest, cause: string): Answer {
  const { shown, before } = state;
  const { delta, reason } = request;
  if (before) return isSame(before, request) ? submittedBefore(before) : reusedAnswer();
  if (!shown) return refusalOf(stockNotFound());
  const { stock, places } = shown;
  if (stock.components) return refusalOf(stockIsBundle());
  if (stock.located && request.place === undefined) return refusalOf(locationRequired());
  const place = places.find((one) => one.place === request.place);
  if (!place && (stock.located || nameOf(request) !== MAIN)) return refusalOf(locationNotFound());
  const there = place ?? { onHand: stock.onHand, reserved: stock.reserved - stock.awaited };
  if (there.onHand + delta < there.reserved || stock.onHand + delta > MAX_ON_HAND)
    return refusalOf(insufficientStock(there));
  state.change = { delta, reason, cause, place: place?.place };
  const adjusted = { ...stock, onHand: stock.onHand + delta, version: stock.version + 1 };
  const moved = places.map((one) => (one === place ? { ...one, onHand: one.onHand + delta } : one));
  return {
    status: 201,
    headers: { etag: etagOf(adjusted.version) },
    body: JSON.stringify(stockJson({ stock: adjusted, places: moved })),
  };
}

const isSame = (before: Adjustment, asked: Adjustment): boolean =>
  before.sku === asked.sku &&
  before.delta === asked.delta &&
  before.reason === asked.reason &&
  nameOf(before) === nameOf(asked);

/** A SKU without locations has one, whose name nobody has to say. */
const nameOf = ({ place }: Adjustment): string => place ?? MAIN;

const submittedBefore = ({ sku }: Adjustment): Answer =>
  refusalOf(
    alreadySubmitted(`/stock/${sku}`, 'this adjustment was made before; the status URL tells the stock as it is now'),
  );

/** The natural key of the request. It includes the principal, so that equal keys of two principals differ. */
const causeOf = (claim: Claim): string => `POST ${naturalKeyOf(claim)}`;
