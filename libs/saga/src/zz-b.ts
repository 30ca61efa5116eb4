import type { A } from './zz-a';
export type Lane = A;
export * from '@shop/http/src/etag'
