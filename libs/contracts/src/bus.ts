/** What each service takes part in on the bus. The permissions of the broker are made from it. */
import { type BusRole } from '@shop/messaging';

export const busRoles: readonly BusRole[] = [
  { service: 'order', commands: ['inventory', 'payment', 'fulfilment'], tells: true, hears: ['payment', 'fulfilment'] },
  { service: 'inventory', answers: ['order'] },
  { service: 'payment', answers: ['order'], tells: true },
  { service: 'fulfilment', answers: ['order'], tells: true, hears: ['order', 'payment'] },
];
