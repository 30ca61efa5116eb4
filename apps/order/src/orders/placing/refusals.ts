/** Why an order is not accepted, for the OpenAPI document. */
import type { ProblemCodes, ProblemMembers } from '@shop/problem';
import { promotionRefusals } from '../../promotions/applying';

const statusUrl = '/orders/01a20621-a6cd-74b9-a1c3-459d717a98c4';

const refusedPromotions: ProblemMembers = {
  promotions: {
    type: 'array',
    description: 'each promotion of the cart that does not apply',
    items: {
      type: 'object',
      properties: { code: { type: 'string' }, reason: { type: 'string', enum: [...promotionRefusals] } },
      required: ['code', 'reason'],
    },
    example: [{ code: 'SPRING-10', reason: 'promotion_used_up' }],
  },
};

/** The refusals of the business. */
export const orderRefusals: ProblemCodes = {
  404: ['cart_not_found'],
  409: {
    already_submitted: {
      statusUrl: {
        type: 'string',
        description: 'where the state of what was sent can be seen: the order that the cart became',
        example: statusUrl,
      },
    },
    price_changed: {
      total: {
        type: 'object',
        description: 'what the order comes to now',
        properties: { amount: { type: 'integer' }, currency: { type: 'string' } },
        required: ['amount', 'currency'],
        example: { amount: 4200, currency: 'EUR' },
      },
    },
    promotion_expired: refusedPromotions,
    promotion_used_up: refusedPromotions,
    promotion_not_applicable: refusedPromotions,
  },
  422: {
    unknown_sku: { skus: { type: 'array', items: { type: 'string' }, example: ['unicorn'] } },
    mixed_currencies: {},
    total_too_large: {},
    total_too_small: {},
    currency_not_supported: {},
    amount_not_payable: {},
    cart_empty: {},
  },
};
