/** The dashboard that tells at a glance whether the shop is healthy. */
import { OWN, quantile, rate } from './expressions';
import { alerts, dashboard, graph, number, row } from './panels';

const REQUESTS = 'http_request_duration_seconds_count';
/** Not by machines that ask whether a service is ready. */
const ASKED = 'route!~"/health/.*"';

export const overview = dashboard({
  uid: 'shop-overview',
  title: 'Shop: overview',
  description: 'Is it healthy? The first line is green when it is.',
  panels: [
    number({
      title: 'Services that answer',
      description: 'Of four. A service with several replicas counts when one of them answers.',
      queries: [{ expr: `count(max by (job) (up{${OWN}}) == 1) or vector(0)` }],
      redBelow: 4,
    }),
    number({
      title: 'Replicas that take no work',
      description: 'They run, and a check of their readiness fails.',
      queries: [{ expr: `count(health_ready{${OWN}} == 0) or vector(0)` }],
      red: 1,
    }),
    number({
      title: 'Parked sagas',
      description: 'They wait for a person.',
      queries: [{ expr: 'max(saga_parked)' }],
      red: 1,
    }),
    number({
      title: 'Held sagas',
      description: 'An operator has stopped them.',
      queries: [{ expr: 'max(saga_held)' }],
      red: 1,
    }),
    number({
      title: 'Open dead letters',
      description: 'Messages that were given up on.',
      queries: [{ expr: 'sum(max by (job, mailbox) (dead_letters_open))' }],
      red: 1,
    }),
    number({
      title: 'Synthetic order',
      description: 'Whether the last order that was placed from outside went well.',
      queries: [{ expr: 'min(synthetic_order_success)' }],
      redBelow: 1,
      unit: 'bool_yes_no',
    }),
    alerts(''),
    row('Orders'),
    graph({
      title: 'Orders',
      description: 'Placed, confirmed and cancelled in a second.',
      unit: 'ops',
      queries: [
        { expr: rate('saga_transitions_total', 'saga', '{event="started"}'), legend: '{{saga}} begun' },
        { expr: rate('saga_ended_total', 'saga, status'), legend: '{{saga}} {{status}}' },
      ],
    }),
    graph({
      title: 'Cancelled, by reason',
      description: 'Why sagas turn back.',
      unit: 'ops',
      queries: [{ expr: rate('saga_ended_total', 'reason', '{status="compensated"}'), legend: '{{reason}}' }],
    }),
    graph({
      title: 'Time of an order',
      description: 'From placing it to its end, for the half and for one of a hundred.',
      unit: 's',
      queries: [
        { expr: quantile(0.5, 'saga_duration_seconds', 'saga'), legend: '{{saga}} p50' },
        { expr: quantile(0.99, 'saga_duration_seconds', 'saga'), legend: '{{saga}} p99' },
      ],
    }),
    graph({
      title: 'Open sagas by step',
      description: 'Where they are at the moment. One line that grows is the step that hangs.',
      queries: [
        {
          expr: 'max by (saga, step, action, status) (saga_open) > 0',
          legend: '{{saga}} {{step}}.{{action}} {{status}}',
        },
      ],
    }),
    row('Services'),
    graph({
      title: 'Requests',
      description: 'In a second, by service.',
      unit: 'reqps',
      queries: [{ expr: rate(REQUESTS, 'job', `{${ASKED}}`), legend: '{{job}}' }],
    }),
    graph({
      title: 'Failed requests',
      description: 'The part that is answered with 5xx.',
      unit: 'percentunit',
      queries: [
        {
          expr: `${rate(REQUESTS, 'job', `{status=~"5..", ${ASKED}}`)} / ${rate(REQUESTS, 'job', `{${ASKED}}`)}`,
          legend: '{{job}}',
        },
      ],
    }),
    graph({
      title: 'Lag of the consumers',
      description: 'Batches that wait or are in work, by mailbox.',
      queries: [{ expr: 'max by (mailbox) (messaging_pending + messaging_ack_pending)', legend: '{{mailbox}}' }],
    }),
    graph({
      title: 'Lag of the outboxes',
      description: 'Since when the oldest event waits to be published.',
      unit: 's',
      queries: [{ expr: `max by (job) (outbox_oldest_waiting_seconds{${OWN}})`, legend: '{{job}}' }],
    }),
    graph({
      title: 'Circuits',
      description: '0 closed, 1 half open, 2 open: whom a service does not call at the moment.',
      queries: [{ expr: 'max by (job, dependency) (outside_circuit_state)', legend: '{{job}} to {{dependency}}' }],
    }),
    graph({
      title: 'Duplicates and conflicts',
      description: 'The part of keyed work that was a repeat, and the part whose key was used for something else.',
      unit: 'percentunit',
      queries: [
        {
          expr: `${rate('idempotency_decisions_total', 'job', '{decision="replayed"}')} / ${rate('idempotency_decisions_total', 'job')}`,
          legend: '{{job}} repeats',
        },
        {
          expr: `${rate('idempotency_decisions_total', 'job', '{decision="conflicted"}')} / ${rate('idempotency_decisions_total', 'job')}`,
          legend: '{{job}} conflicts',
        },
      ],
    }),
  ],
});
