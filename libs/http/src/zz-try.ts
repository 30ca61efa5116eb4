import type { Ledger } from '@shop/idempotency';
import { eventually } from '@shop/testing';
import '@shop/stack';
import { x } from '../../saga/src/decide';
export type L = Ledger;
export const y = [eventually, x];
