import { eventually } from '@shop/testing';
export const y = eventually;
