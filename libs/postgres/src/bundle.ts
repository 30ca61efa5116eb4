/**
 * Several statements in one round trip: what is sent together leaves in one write and is answered in one read.
 *
 * PostgreSQL's extended protocol lets any number of parse, bind and execute messages stand before one sync; it answers
 * them in order, and behind a failure it skips the rest. `pg` sends a sync (and the server a packet) per statement,
 * and on a loaded machine packets, with a process to be woken for each, cost more than the statements in them. This is
 * a query class for `pg` (it has `submit` and the handlers), so connections, errors and everything else stay with `pg`.
 */
import pg, { type ClientBase } from 'pg';
import type { Statement } from './statement';

export interface Call {
  statement: Statement;
  values: readonly unknown[];
  resolve: (rows: unknown[]) => void;
  reject: (error: unknown) => void;
}

/** The part of pg's `Result` that turns wire fields into rows. */
interface RowParser {
  addFields(fields: unknown[]): void;
  parseRow(fields: unknown[]): unknown;
}

/** The part of pg's `Connection` that is needed here. */
interface Connection {
  stream: { cork(): void; uncork(): void };
  parse(message: { name: string; text: string; types: number[] }): void;
  bind(message: { statement: string; values: readonly unknown[] }): void;
  describe(message: { type: 'P'; name: string }): void;
  execute(message: { portal: string }): void;
  close(message: { type: 'S'; name: string }): void;
  sync(): void;
}

const { Result, utils } = pg as unknown as {
  Result: new (rowMode: undefined, types: unknown) => RowParser;
  utils: { prepareValue: (value: unknown) => unknown };
};

/** What each connection has prepared, and how the rows of each statement are read. */
const prepared = new WeakMap<object, Map<string, RowParser>>();

/** What this process has sent so far, `begin` and `commit` included; for its metrics. */
export const traffic = { roundTrips: 0, statements: 0 };

/** Sends the calls in one round trip; each of them settles by itself. */
export function sendBundle(client: ClientBase, calls: readonly Call[]): void {
  traffic.roundTrips++;
  traffic.statements += calls.length;
  const { _types: types } = client as unknown as { _types: unknown };
  // A query class of ours comes back as it is, not as a promise, which the types of `pg` do not say.
  (client as unknown as { query: (bundle: Bundle) => void }).query(new Bundle(calls, types));
}

class Bundle {
  private current = 0;
  private rows: unknown[] = [];
  private readonly results: unknown[][] = [];
  private parsers: Map<string, RowParser> = new Map();
  /** Of statements that this connection runs for the first time. */
  private parser: RowParser | undefined;

  constructor(
    private readonly calls: readonly Call[],
    private readonly types: unknown,
  ) {}

  submit(connection: Connection): Error | null {
    let values: unknown[][];
    try {
      // Before the first byte leaves: a value that cannot be sent must not leave half a bundle behind.
      values = this.calls.map((call) => call.values.map(utils.prepareValue));
    } catch (error) {
      return error as Error;
    }
    this.parsers = prepared.get(connection) ?? new Map<string, RowParser>();
    prepared.set(connection, this.parsers);
    connection.stream.cork();
    this.write(connection, values);
    connection.sync();
    connection.stream.uncork();
    return null;
  }

  private write(connection: Connection, values: readonly unknown[][]): void {
    const known = new Set(this.parsers.keys());
    for (const [index, { statement }] of this.calls.entries()) {
      const { name, text } = statement;
      const first = !known.has(name);
      if (first) {
        // It may be there already, if it failed when it first ran; closing one that is not there is no error.
        connection.close({ type: 'S', name });
        connection.parse({ name, text, types: [] });
        known.add(name);
      }
      connection.bind({ statement: name, values: values[index]! });
      // How its rows look is asked once; no migration changes that under a running service.
      if (first) connection.describe({ type: 'P', name: '' });
      connection.execute({ portal: '' });
    }
  }

  handleRowDescription({ fields }: { fields: unknown[] }): void {
    this.parser = new Result(undefined, this.types);
    this.parser.addFields(fields);
  }

  handleDataRow({ fields }: { fields: unknown[] }): void {
    const parser = this.parser ?? this.parsers.get(this.nameOfCurrent());
    this.rows.push(parser?.parseRow(fields));
  }

  handleCommandComplete(): void {
    const name = this.nameOfCurrent();
    if (!this.parsers.has(name)) this.parsers.set(name, this.parser ?? new Result(undefined, this.types));
    this.results.push(this.rows);
    this.rows = [];
    this.parser = undefined;
    this.current++;
  }

  handleReadyForQuery(): void {
    this.calls.forEach(({ resolve }, index) => resolve(this.results[index] ?? []));
  }

  /** The failed statement and those behind it, which were not run, share the error. */
  handleError(error: Error): void {
    this.calls.forEach(({ resolve, reject }, index) => {
      const rows = this.results[index];
      if (rows) resolve(rows);
      else reject(error);
    });
  }

  /** Only a statement without text is answered so, and there is none. */
  handleEmptyQuery(): void {
    this.handleCommandComplete();
  }

  private nameOfCurrent(): string {
    return this.calls[this.current]!.statement.name;
  }
}
