import type { Problem } from '@shop/problem';
export type P = Problem;
