/** Carries out `npm run ops -- dead-letters …`: asks all services for the messages that were given up on. */
import { randomUUID } from 'node:crypto';
import { ownServices } from '../services';
import { ask, type Asked, OpsError, serviceIn } from './ask';
import type { LetterCommand } from './command-line';
import { tableOf } from './table';

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

/** Answers what is to be printed. @throws OpsError */
export async function runDeadLetters({ verb, id, option }: LetterCommand, env: NodeJS.ProcessEnv): Promise<string[]> {
  const services = ownServices.map((name) => serviceIn(env, name));
  if (verb === 'list') {
    const lists = await Promise.all(services.map((service) => lettersOf(service, option ?? 'open')));
    return listOf(lists.flat());
  }
  const { service, letter } = await find(services, id);
  if (verb === 'show') {
    return JSON.stringify({ service: service.name, ...withMessage(letter) }, null, 2).split('\n');
  }
  const path = `/dead-letters/${encodeURIComponent(id)}/${verb}`;
  const { body } = await ask(service, (api) => api.post<Letter>(path, { reason: option }, randomUUID()));
  return [`${body.state}: ${body.messageId} in ${service.name}`];
}

async function lettersOf(service: Asked, state: string): Promise<(Letter & { service: string })[]> {
  const asked = state === 'all' ? '' : `&state=${state}`;
  const letters: (Letter & { service: string })[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const path: string = `/dead-letters?limit=200${asked}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
    const { body } = await ask(service, (api) => api.get<{ items: Letter[]; next: string | null }>(path));
    letters.push(...body.items.map((letter) => ({ service: service.name, ...letter })));
    cursor = body.next;
  }
  return letters;
}

/** Ids are unique over all services, so the first that knows it has it. */
async function find(services: readonly Asked[], id: string): Promise<{ service: Asked; letter: Letter }> {
  for (const service of services) {
    const path = `/dead-letters/${encodeURIComponent(id)}`;
    const { status, body } = await ask(service, (api) => api.get<Letter>(path), [200, 404]);
    if (status === 200) return { service, letter: body };
  }
  throw new OpsError(`No service has a dead letter ${id}.`);
}

/** The message itself, where it could be read. */
function withMessage({ content = '', ...letter }: Letter): object {
  try {
    return { ...letter, message: JSON.parse(content) as unknown };
  } catch {
    return { ...letter, content };
  }
}

const heads = ['SERVICE', 'ID', 'STATE', 'LAST SEEN', 'DELIVERIES', 'MESSAGE', 'LAST ERROR'];

function listOf(letters: readonly (Letter & { service: string })[]): string[] {
  if (letters.length === 0) return ['There is none.'];
  const rows = letters.map(({ service, id, state, lastSeenAt, deliveries, messageId, lastError }) => [
    service,
    id,
    state,
    lastSeenAt,
    String(deliveries),
    messageId,
    lastError.split('\n', 1)[0]!,
  ]);
  return tableOf([heads, ...rows]);
}
