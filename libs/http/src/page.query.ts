/** Keyset paging: where the last page ended, how many more, and whether there is a next page. */
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsText } from '@shop/validation';
import { IsInt, IsOptional, Max, Min } from 'class-validator';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;
const MAX_CURSOR_LENGTH = 200;

export class PageQuery {
  @ApiPropertyOptional({ description: '`next` of the page before' })
  @IsOptional()
  @IsText(MAX_CURSOR_LENGTH)
  cursor?: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MAX_LIMIT,
    default: DEFAULT_LIMIT,
    description: 'how many items a page has at most',
  })
  // Digits only: `Number` also reads 1e2, 0x10 and white space.
  @Transform(({ value }) => (typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : (value as unknown)))
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  limit: number = DEFAULT_LIMIT;
}

export interface Page<Item> {
  items: Item[];
  /** The cursor of the next page; null behind the last one. */
  next: string | null;
}

/** Reads one row more than the page shows: only that tells whether there is a next page. */
export async function readPage<Row, Item>(
  limit: number,
  read: (limit: number) => Promise<readonly Row[]>,
  { item, cursor }: { item: (row: Row) => Item; cursor: (last: Row) => string },
): Promise<Page<Item>> {
  const rows = await read(limit + 1);
  const shown = rows.slice(0, limit);
  return { items: shown.map(item), next: rows.length > limit ? cursor(shown.at(-1)!) : null };
}
