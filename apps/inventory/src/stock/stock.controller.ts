/** Stock over HTTP, for the people and systems that keep it. */
import { Body, Controller, Get, Headers, Param, Post, Put, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { SKU } from '@shop/contracts';
import { type Caller, CallerOf, etagOf, PageQuery, requireMatch, Roles, unlessModified } from '@shop/http';
import {
  type Answer,
  type Claim,
  ClaimOf,
  Idempotent,
  Ledger,
  type Outcome,
  refusalOf,
  runOnce,
} from '@shop/idempotency';
import { Database, type Tx } from '@shop/postgres';
import { IsText, Problem, validationFailed } from '@shop/problem';
import { IsInt, Max, Min, NotEquals } from 'class-validator';
import type { FastifyReply } from 'fastify';
import type { Stock } from './stock';
import { adjustStock, createStock, findStock, listStock, lockOneStock } from './stock.repository';

/** Far above any shelf, far below where numbers lose precision. */
const MAX_ON_HAND = 1_000_000_000;

class StockBody {
  @ApiProperty({ example: 100 })
  @IsInt()
  @Min(0)
  @Max(MAX_ON_HAND)
  onHand: number;
}

class AdjustmentBody {
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

@ApiTags('stock')
@Controller('stock')
export class StockController {
  constructor(
    private readonly database: Database,
    private readonly ledger: Ledger,
  ) {}

  @Get()
  @ApiOperation({ summary: 'All stock, page by page' })
  async list(@CallerOf() { tenant }: Caller, @Query() { cursor = '', limit }: PageQuery) {
    const items = await listStock(this.database, tenant, cursor, limit);
    return { items: items.map(stockJson), next: items.length === limit ? items.at(-1)!.sku : null };
  }

  @Get(':sku')
  @ApiOperation({ summary: 'The stock of one SKU; 304 for a known ETag' })
  async get(
    @CallerOf() { tenant }: Caller,
    @Param('sku') sku: string,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('if-none-match') ifNoneMatch?: string,
  ) {
    const stock = SKU.test(sku) ? await findStock(this.database, tenant, sku) : undefined;
    if (!stock) throw notFound();
    const etag = etagOf(stock.version);
    void reply.header('etag', etag);
    if (!unlessModified(ifNoneMatch, etag)) return stockJson(stock);
    void reply.status(304);
    return undefined;
  }

  @Put(':sku')
  @Roles('operator')
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({ summary: 'Creates stock, or sets the counted number in the version named by If-Match' })
  async put(
    @CallerOf() { tenant }: Caller,
    @Param('sku') sku: string,
    @Body() { onHand }: StockBody,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('if-match') ifMatch?: string,
    @Headers('if-none-match') ifNoneMatch?: string,
  ) {
    if (!SKU.test(sku)) throw validationFailed([{ path: 'sku', message: 'must be 1 to 64 of A-Z a-z 0-9 . _ -' }]);
    const created = ifMatch === undefined ? await createStock(this.database, tenant, sku, onHand) : undefined;
    if (!created && ifNoneMatch === '*') {
      throw new Problem(412, 'precondition_failed', 'there is stock of this SKU already');
    }
    const stock = created ?? (await this.database.transaction((tx) => recount(tx, { tenant, sku, onHand, ifMatch })));
    void reply.status(created ? 201 : 200).header('etag', etagOf(stock.version));
    return stockJson(stock);
  }

  @Post(':sku/adjustments')
  @Roles('operator')
  @Idempotent({ strategy: 'atomic' })
  @ApiOperation({ summary: 'Adds or takes pieces' })
  async adjust(
    @CallerOf() { tenant }: Caller,
    @ClaimOf() claim: Claim,
    @Param('sku') sku: string,
    @Body() { delta, reason }: AdjustmentBody,
  ): Promise<Outcome> {
    interface State {
      stock?: Stock;
      adjusted: boolean;
    }
    const [outcome] = await runOnce<State>(this.database, this.ledger, [{ claim }], {
      load: async (tx) => ({ stock: SKU.test(sku) ? await lockOneStock(tx, tenant, sku) : undefined, adjusted: false }),
      decide: (state): Answer => {
        if (!state.stock) return refusalOf(notFound());
        const onHand = state.stock.onHand + delta;
        if (onHand < state.stock.reserved || onHand > MAX_ON_HAND) return refusalOf(insufficient(state.stock));
        state.adjusted = true;
        const adjusted = { ...state.stock, onHand, version: state.stock.version + 1 };
        return { status: 201, headers: { etag: etagOf(adjusted.version) }, body: JSON.stringify(stockJson(adjusted)) };
      },
      save: (tx, { stock, adjusted }) => {
        if (stock && adjusted) adjustStock(tx, stock, { delta, reason, cause: claim.key });
      },
    });
    return outcome!;
  }
}

/** The same number again changes nothing, so a repeated PUT needs no If-Match. */
async function recount(
  tx: Tx,
  { tenant, sku, onHand, ifMatch }: { tenant: string; sku: string; onHand: number; ifMatch?: string },
): Promise<Stock> {
  const stock = await lockOneStock(tx, tenant, sku);
  if (!stock) throw new Problem(412, 'precondition_failed', 'there is no stock of this SKU to match');
  if (ifMatch === undefined && stock.onHand === onHand) return stock;
  requireMatch(ifMatch, stock.version);
  if (onHand < stock.reserved) throw insufficient(stock);
  return adjustStock(tx, stock, { delta: onHand - stock.onHand, reason: 'counted', cause: 'PUT' });
}

function stockJson({ sku, onHand, reserved, version }: Stock) {
  return { sku, onHand, reserved, available: onHand - reserved, version };
}

const notFound = () => new Problem(404, 'stock_not_found', 'there is no stock of this SKU');

const insufficient = ({ reserved }: Stock) =>
  new Problem(
    409,
    'insufficient_stock',
    `${reserved} pieces are reserved; on hand cannot go below that, or above the limit`,
  );
