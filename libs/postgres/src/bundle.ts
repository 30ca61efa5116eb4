/**
 * Several statements in one round trip: they leave in one write, and their answers come in one read.
 *
 * The extended protocol of PostgreSQL allows any number of parse, bind and execute messages before one sync. The server
 * answers them in order, and skips the rest after a failure. `pg` sends one sync for each statement, and the server
 * then sends one packet for each. On a loaded machine, the packets and the process wake-ups that they cause cost more
 * than the statements. This is a query class for `pg` (it has `submit` and the handlers), so connections, errors and
 * all else stay with `pg`.
 */
import pg, { type ClientBase } from 'pg';
import type { Statement } from './statement';

export interface Call {
  statement: Statement;
  values: readonly unknown[];
  resolve: (rows: unknown[]) => void;
  reject: (error: unknown) => void;
}

/** The part of `Result` of `pg` that turns wire fields into rows. */
interface RowParser {
  addFields(fields: unknown[]): void;
  parseRow(fields: unknown[]): unknown;
}

/** The part of `Connection` of `pg` that is needed here. */
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

/** The statements that each connection has prepared, and the parsers of their rows. */
const prepared = new WeakMap<object, Map<string, RowParser>>();

/** What this process has sent so far, including `begin` and `commit`, for its metrics. */
export const traffic = { roundTrips: 0, statements: 0 };

/** Sends the calls in one round trip. Each call settles by itself. */
export function sendBundle(client: ClientBase, calls: readonly Call[]): void {
  traffic.roundTrips++;
  traffic.statements += calls.length;
  const { _types: types } = client as unknown as { _types: unknown };
  // `query` returns an object of our query class as it is, not as a promise. The types of `pg` do not say so.
  (client as unknown as { query: (bundle: Bundle) => void }).query(new Bundle(calls, types));
}

class Bundle {
  private current = 0;
  private rows: unknown[] = [];
  private readonly results: unknown[][] = [];
  private parsers: Map<string, RowParser> = new Map();
  /** The parser for statements that this connection runs for the first time. */
  private parser: RowParser | undefined;

  constructor(
    private readonly calls: readonly Call[],
    private readonly types: unknown,
  ) {}

  submit(connection: Connection): Error | null {
    let values: unknown[][];
    try {
      // This is done before the first byte leaves. A value that cannot be sent must not leave half of a bundle on the
      // connection.
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
        // The statement may be there already, if it failed when it first ran. Closing a missing statement is no error.
        connection.close({ type: 'S', name });
        connection.parse({ name, text, types: [] });
        known.add(name);
      }
      connection.bind({ statement: name, values: values[index]! });
      // The columns of the rows are asked once. No migration changes them while a service runs.
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

  /** The failed statement shares its error with the statements after it, which were not run. */
  handleError(error: Error): void {
    this.calls.forEach(({ resolve, reject }, index) => {
      const rows = this.results[index];
      if (rows) resolve(rows);
      else reject(error);
    });
  }

  /** The server sends this only for a statement without text, and there is none. */
  handleEmptyQuery(): void {
    this.handleCommandComplete();
  }

  private nameOfCurrent(): string {
    return this.calls[this.current]!.statement.name;
  }
}
