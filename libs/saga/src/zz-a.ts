import type { Lane } from './zz-b';
export type A = Lane;
