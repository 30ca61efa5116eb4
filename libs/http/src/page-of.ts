/** The class of a page, for the OpenAPI document. */
import type { Type } from '@nestjs/common';
import { ApiProperty, ApiSchema } from '@nestjs/swagger';

/** Of a page of these items; the document names it after them. */
export function PageOf<Item>(item: Type<Item>): Type {
  @ApiSchema({ name: `${item.name.replace(/View$/, '')}Page`, description: 'A part of a list.' })
  class ItemPage {
    @ApiProperty({ type: [item] })
    items: Item[];

    @ApiProperty({
      type: String,
      nullable: true,
      description: 'send it as `cursor` to get the next page; null on the last page',
      example: null,
    })
    next: string | null;
  }
  return ItemPage;
}
