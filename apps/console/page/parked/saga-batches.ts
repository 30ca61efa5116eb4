/** Acts on many parked sagas. */
import { hrefTo } from '../route';
import type { BatchKind } from '../parts/batch-kind';

export const sagaBatches: BatchKind = {
  path: '/api/order/saga-batches',
  page: ['parked', 'batches'],
  from: { title: 'Parked', href: hrefTo(['parked']) },
  noun: 'saga',
  acts: [
    { name: 'retry', text: 'Retry: send each command again', reason: 'welcome' },
    { name: 'skip', text: 'Skip: each step counts as done, by hand', reason: 'needed', dangerous: true },
    { name: 'cancel', text: 'Cancel: turn each saga back', reason: 'welcome', dangerous: true },
  ],
  subjectOf: ({ sagaId = '' }) => ({ id: sagaId, href: hrefTo(['sagas', sagaId]) }),
};
