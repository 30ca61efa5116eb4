/** The dashboard of one saga definition. */
import { quantile, rate } from './expressions';
import { dashboard, graph, number } from './panels';

const SAGA = '{saga="$saga"}';
export const sagaDefinition = dashboard({
  uid: 'shop-saga',
  title: 'Shop: a saga definition',
  description: 'How the sagas of one definition go, step by step.',
  variables: [{ name: 'saga', metric: 'saga_transitions_total', label: 'saga' }],
  panels: [
    number({
      title: 'Open',
      description: 'Not ended yet.',
      queries: [{ expr: `sum(max by (step, action, status) (saga_open${SAGA}))` }],
    }),
    number({
      title: 'Parked',
      description: 'They wait for a person.',
      queries: [{ expr: 'sum(max by (step, action) (saga_open{saga="$saga", status="parked"})) or vector(0)' }],
      red: 1,
    }),
    number({
      title: 'Held',
      description: 'An operator has stopped them.',
      queries: [{ expr: 'sum(max by (step, action) (saga_open{saga="$saga", status="held"})) or vector(0)' }],
      red: 1,
    }),
    number({
      title: 'Oldest that should move',
      description: 'Since when the oldest saga is open that waits for nobody outside.',
      queries: [{ expr: 'max(saga_open_oldest_seconds{saga="$saga", status=~"running|compensating"}) or vector(0)' }],
      unit: 's',
      red: 900,
    }),
    number({
      title: 'Nothing has moved for',
      description: 'At the step where it is longest.',
      queries: [{ expr: 'max(saga_open_still_seconds{saga="$saga", status=~"running|compensating"}) or vector(0)' }],
      unit: 's',
      red: 900,
    }),
    number({
      title: 'Turn back',
      description: 'The part of the last quarter of an hour.',
      queries: [
        {
          expr: 'sum(increase(saga_ended_total{saga="$saga", status="compensated"}[15m])) / sum(increase(saga_ended_total{saga="$saga"}[15m]))',
        },
      ],
      unit: 'percentunit',
      red: 0.5,
    }),
    graph({
      title: 'Begun and ended',
      description: 'In a second.',
      unit: 'ops',
      queries: [
        { expr: rate('saga_transitions_total', 'event', '{saga="$saga", event="started"}'), legend: 'begun' },
        { expr: rate('saga_ended_total', 'status, reason', SAGA), legend: '{{status}} {{reason}}' },
      ],
    }),
    graph({
      title: 'Open by step',
      description: 'Where they are at the moment.',
      queries: [
        { expr: `max by (step, action, status) (saga_open${SAGA}) > 0`, legend: '{{step}}.{{action}} {{status}}' },
      ],
    }),
    graph({
      title: 'Time of a step, p50',
      description: 'From the command to its reply.',
      unit: 's',
      queries: [{ expr: quantile(0.5, 'saga_step_duration_seconds', 'step', SAGA), legend: '{{step}}' }],
    }),
    graph({
      title: 'Time of a step, p99',
      description: 'From the command to its reply.',
      unit: 's',
      queries: [{ expr: quantile(0.99, 'saga_step_duration_seconds', 'step', SAGA), legend: '{{step}}' }],
    }),
    graph({
      title: 'Time of a saga',
      description: 'From its beginning to its end.',
      unit: 's',
      queries: [
        { expr: quantile(0.5, 'saga_duration_seconds', 'status', SAGA), legend: '{{status}} p50' },
        { expr: quantile(0.99, 'saga_duration_seconds', 'status', SAGA), legend: '{{status}} p99' },
      ],
    }),
    graph({
      title: 'Age of the oldest, by step',
      description: 'Among those that should move.',
      unit: 's',
      queries: [
        {
          expr: 'max by (step, action) (saga_open_oldest_seconds{saga="$saga", status=~"running|compensating"})',
          legend: '{{step}}.{{action}}',
        },
      ],
    }),
    graph({
      title: 'Transitions',
      description: 'In a second, by event. Deadlines that pass are commands that were sent again.',
      unit: 'ops',
      width: 24,
      queries: [{ expr: rate('saga_transitions_total', 'event, to', SAGA), legend: '{{event}} to {{to}}' }],
    }),
  ],
});
