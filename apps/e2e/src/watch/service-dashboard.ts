/** The dashboard of one service. */
import { quantile, rate } from './expressions';
import { alerts, dashboard, graph, number, row } from './panels';

const JOB = '{job="$job"}';
export const service = dashboard({
  uid: 'shop-service',
  title: 'Shop: a service',
  description: 'The requests, messages, database and process of one service, all replicas together.',
  variables: [{ name: 'job', metric: 'health_ready', label: 'job' }],
  panels: [
    number({
      title: 'Replicas that answer',
      description: 'To Prometheus.',
      queries: [{ expr: `sum(up${JOB})` }],
      redBelow: 1,
    }),
    number({
      title: 'Checks that fail',
      description: 'GET /health/ready on the management port says why.',
      queries: [{ expr: 'count(health_check_ok{job="$job"} == 0) or vector(0)' }],
      red: 1,
    }),
    number({
      title: 'Open dead letters',
      description: 'Messages that were given up on.',
      queries: [{ expr: `sum(max by (mailbox) (dead_letters_open${JOB}))` }],
      red: 1,
    }),
    number({
      title: 'Wait for a connection',
      description: 'Work that waits for a connection to the database.',
      queries: [{ expr: `max(postgres_pool_waiting${JOB})` }],
      red: 5,
    }),
    number({
      title: 'Delay of the event loop',
      description: 'A timer of half a second fires after this time; 0.5 s is an idle process.',
      queries: [{ expr: `max(nodejs_eventloop_lag_p90_seconds${JOB})` }],
      unit: 's',
      red: 1,
    }),
    number({
      title: 'Memory',
      description: 'Of the largest replica. Its container is ended at 512 MiB.',
      queries: [{ expr: `max(process_resident_memory_bytes${JOB})` }],
      unit: 'bytes',
      red: 450e6,
    }),
    row('Requests'),
    graph({
      title: 'Requests by route',
      description: 'In a second.',
      unit: 'reqps',
      queries: [
        { expr: rate('http_request_duration_seconds_count', 'method, route', JOB), legend: '{{method}} {{route}}' },
      ],
    }),
    graph({
      title: 'Answers by status',
      description: 'In a second.',
      unit: 'reqps',
      queries: [{ expr: rate('http_request_duration_seconds_count', 'status', JOB), legend: '{{status}}' }],
    }),
    graph({
      title: 'Time of a request, p50',
      description: 'By route. A client may ask to wait for news.',
      unit: 's',
      queries: [
        { expr: quantile(0.5, 'http_request_duration_seconds', 'method, route', JOB), legend: '{{method}} {{route}}' },
      ],
    }),
    graph({
      title: 'Time of a request, p99',
      description: 'By route.',
      unit: 's',
      queries: [
        { expr: quantile(0.99, 'http_request_duration_seconds', 'method, route', JOB), legend: '{{method}} {{route}}' },
      ],
    }),
    row('Messages'),
    graph({
      title: 'Messages by mailbox',
      description: 'In a second; returned ones come again.',
      unit: 'ops',
      queries: [
        {
          expr: rate('messaging_messages_received_total', 'mailbox, way, outcome', JOB),
          legend: '{{mailbox}} {{way}} {{outcome}}',
        },
      ],
    }),
    graph({
      title: 'Time of a batch, p99',
      description: 'From taking it until the last of its messages is done.',
      unit: 's',
      queries: [
        {
          expr: quantile(0.99, 'messaging_batch_duration_seconds', 'mailbox, way', JOB),
          legend: '{{mailbox}} {{way}}',
        },
      ],
    }),
    graph({
      title: 'Lag',
      description: 'Batches that wait, are in work, or are in work again.',
      queries: [
        { expr: `max by (mailbox) (messaging_pending${JOB})`, legend: '{{mailbox}} wait' },
        { expr: `max by (mailbox) (messaging_ack_pending${JOB})`, legend: '{{mailbox}} in work' },
        { expr: `max by (mailbox) (messaging_redelivered${JOB})`, legend: '{{mailbox}} again' },
      ],
    }),
    graph({
      title: 'Outbox',
      description: 'Events that are written and not published.',
      queries: [{ expr: `max(outbox_waiting_events${JOB})`, legend: 'events' }],
    }),
    row('Database'),
    graph({
      title: 'Connections',
      description: 'Of all replicas, by what they do.',
      queries: [
        { expr: `sum by (state) (postgres_pool_connections${JOB})`, legend: '{{state}}' },
        { expr: `sum(postgres_pool_waiting${JOB})`, legend: 'work that waits' },
      ],
    }),
    graph({
      title: 'Statements',
      description: 'And round trips, in a second.',
      unit: 'ops',
      queries: [
        { expr: rate('postgres_statements_total', 'job', JOB), legend: 'statements' },
        { expr: rate('postgres_round_trips_total', 'job', JOB), legend: 'round trips' },
      ],
    }),
    graph({
      title: 'Wait for a turn in a lane, p99',
      description: 'What has waited too long is refused.',
      unit: 's',
      queries: [{ expr: quantile(0.99, 'lane_wait_seconds', 'lane', JOB), legend: '{{lane}}' }],
    }),
    graph({
      title: 'Size of a batch',
      description: 'The mean. Batches grow with the load.',
      queries: [
        {
          expr: `${rate('lane_batch_size_sum', 'lane', JOB)} / ${rate('lane_batch_size_count', 'lane', JOB)}`,
          legend: '{{lane}}',
        },
      ],
    }),
    graph({
      title: 'The ten largest tables',
      description: 'With their indexes. The ledger is one of them.',
      unit: 'bytes',
      queries: [{ expr: `topk(10, max by (table) (postgres_table_bytes${JOB}))`, legend: '{{table}}' }],
    }),
    graph({
      title: 'Keyed work',
      description: 'What the ledger made of it, in a second.',
      unit: 'ops',
      queries: [{ expr: rate('idempotency_decisions_total', 'decision', JOB), legend: '{{decision}}' }],
    }),
    row('Outside'),
    graph({
      title: 'Calls outside',
      description: 'In a second, by what came of them.',
      unit: 'ops',
      queries: [
        { expr: rate('outside_tries_total', 'dependency, outcome', JOB), legend: '{{dependency}} {{outcome}}' },
      ],
    }),
    graph({
      title: 'Time of a call, p99',
      description: 'By whom it asks.',
      unit: 's',
      queries: [{ expr: quantile(0.99, 'outside_try_duration_seconds', 'dependency', JOB), legend: '{{dependency}}' }],
    }),
    alerts(', job="$job"'),
  ],
});
