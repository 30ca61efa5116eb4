/** What `npm run dead-letters` does: asks the services, over HTTP, for the messages that were given up on. */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { ApiClient, type ApiResponse } from './api-client';
import { DEVELOPMENT_KEY } from './development-key';

/** Thrown when it cannot be done; the message is one sentence for whoever typed the command. */
export class CommandError extends Error {}

const USAGE =
  'Say: npm run dead-letters -- list [--state open|replayed|discarded|all] | show ID | replay ID --reason TEXT | discard ID --reason TEXT.';

/** Where `npm start` has them, unless the environment says otherwise. */
const services = [
  { name: 'order', variable: 'ORDER_URL', usual: 'http://127.0.0.1:3000' },
  { name: 'inventory', variable: 'INVENTORY_URL', usual: 'http://127.0.0.1:3001' },
  { name: 'payment', variable: 'PAYMENT_URL', usual: 'http://127.0.0.1:3002' },
] as const;

interface Letter {
  id: string;
  messageId: string;
  type: string | null;
  deliveries: number;
  lastError: string;
  lastSeenAt: string;
  state: string;
  content?: string;
}

type Wish =
  | { verb: 'list'; state: string }
  | { verb: 'show'; id: string }
  | { verb: 'replay' | 'discard'; id: string; reason: string };

/** Answers what is to be printed. @throws CommandError */
export async function runDeadLetters(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const wish = readWish(argv);
  const clients = services.map(({ name, variable, usual }) => {
    const url = env[variable] || usual;
    return { name, variable, url, api: new ApiClient(url, env['API_KEY'] || DEVELOPMENT_KEY) };
  });
  if (wish.verb === 'list') {
    const lists = await Promise.all(clients.map((client) => listOf(client, wish.state)));
    return tableOf(lists.flat());
  }
  const { client, letter } = await find(clients, wish.id);
  if (wish.verb === 'show') return JSON.stringify({ service: client.name, ...withMessage(letter) }, null, 2);
  const path = `/dead-letters/${wish.id}/${wish.verb}`;
  const done = await asking(client, () => client.api.post<Letter>(path, { reason: wish.reason }, randomUUID()));
  return `${done.body.state}: ${done.body.messageId} in ${client.name}`;
}

function readWish(argv: readonly string[]): Wish {
  const options = { state: { type: 'string' }, reason: { type: 'string' } } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const [verb, id, ...rest] = positionals;
    const { state, reason } = values;
    if (verb === 'list' && id === undefined && reason === undefined) return { verb, state: state ?? 'open' };
    const one = id !== undefined && rest.length === 0 && state === undefined;
    if (verb === 'show' && one && reason === undefined) return { verb, id };
    if ((verb === 'replay' || verb === 'discard') && one && reason) return { verb, id, reason };
  } catch {
    // An option that nobody knows, or one without its value.
  }
  throw new CommandError(USAGE);
}

interface Client {
  name: string;
  variable: string;
  url: string;
  api: ApiClient;
}

async function listOf(client: Client, state: string): Promise<(Letter & { service: string })[]> {
  const asked = state === 'all' ? '' : `&state=${encodeURIComponent(state)}`;
  const letters: (Letter & { service: string })[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const path: string = `/dead-letters?limit=200${asked}${cursor && `&cursor=${cursor}`}`;
    const { body } = await asking(client, () => client.api.get<{ items: Letter[]; next: string | null }>(path));
    letters.push(...body.items.map((letter) => ({ service: client.name, ...letter })));
    cursor = body.next;
  }
  return letters;
}

/** Ids are unique over all services, so the first that knows it has it. */
async function find(clients: readonly Client[], id: string): Promise<{ client: Client; letter: Letter }> {
  for (const client of clients) {
    const path = `/dead-letters/${encodeURIComponent(id)}`;
    const { status, body } = await asking(client, () => client.api.get<Letter>(path), [200, 404]);
    if (status === 200) return { client, letter: body };
  }
  throw new CommandError(`No service has a dead letter ${id}.`);
}

async function asking<Body>(
  { name, url, variable }: Client,
  ask: () => Promise<ApiResponse<Body>>,
  fine: readonly number[] = [200],
): Promise<ApiResponse<Body>> {
  const response = await ask().catch(() => {
    throw new CommandError(`The ${name} service cannot be reached at ${url}; start it, or set ${variable}.`);
  });
  if (fine.includes(response.status)) return response;
  const { detail = response.text } = response.body as { detail?: string };
  throw new CommandError(`The ${name} service answered ${response.status}: ${detail}.`);
}

/** The message itself, where it could be read. */
function withMessage({ content = '', ...letter }: Letter): object {
  try {
    return { ...letter, message: JSON.parse(content) as unknown };
  } catch {
    return { ...letter, content };
  }
}

function tableOf(letters: readonly (Letter & { service: string })[]): string {
  if (letters.length === 0) return 'There is none.';
  const rows = letters.map(({ service, id, state, lastSeenAt, deliveries, messageId, lastError }) => [
    service,
    id,
    state,
    lastSeenAt,
    String(deliveries),
    messageId,
    lastError.split('\n', 1)[0]!,
  ]);
  const all = [['service', 'id', 'state', 'last seen', 'deliveries', 'message', 'last error'], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
