/** The figures of the whole system, as the server of the console tells them. */
export interface Point {
  at: number;
  orders: number;
  confirmed: number;
  cancelled: number;
  requests: number;
  errors: number;
  p50: number | null;
  p99: number | null;
  inFlight: number | null;
  parked: number | null;
}

export interface Overview {
  watched: boolean;
  point: Point | null;
  services: { service: string; up: boolean; ready: boolean; checks: Record<string, string> }[];
  endings: { saga: string; status: string; reason: string; count: number }[];
  steps: { saga: string; step: string; perMinute: number; p50: number | null; p99: number | null }[];
  open: { saga: string; step: string; action: string; status: string; count: number; oldest: number; still: number }[];
  deadLetters: { service: string; mailbox: string; count: number }[];
  mailboxes: { mailbox: string; waiting: number }[];
  outboxes: { service: string; waiting: number; oldest: number | null }[];
  held: number | null;
  windowSeconds: number;
}

export interface Figures {
  overview: Overview;
  points: Point[];
}
