/** Acts on many dead letters of a service. */
import { hrefTo } from '../route';
import type { BatchKind } from '../parts/batch-kind';

export const letterBatches = (service: string): BatchKind => ({
  path: `/api/${encodeURIComponent(service)}/dead-letter-batches`,
  page: ['dead-letters', service, 'batches'],
  from: { title: `Dead letters of ${service}`, href: hrefTo(['dead-letters'], { service }) },
  noun: 'dead letter',
  acts: [
    {
      name: 'replay',
      text: 'Replay: hand each message to its mailbox again',
      reason: 'needed',
      consequence:
        'Each message keeps its id, so what was done stays done once. If the cause is not mended, it comes back here. While the ' +
        'broker is away, it waits.',
    },
    {
      name: 'discard',
      text: 'Discard: nothing more is done about them',
      reason: 'needed',
      dangerous: true,
      consequence: 'They can still be read here. A saga that waits for a reply of one goes on to wait.',
    },
  ],
  subjectOf: ({ deadLetterId = '' }) => ({ id: deadLetterId, href: hrefTo(['dead-letters', service, deadLetterId]) }),
});
