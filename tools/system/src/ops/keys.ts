/** Carries out `npm run ops -- keys …`: all services have the same keys. A new key is made here, and only its hash leaves. */
import { createHash, randomBytes } from 'node:crypto';
import { ownServices } from '../services';
import { ask, type Asked, OpsError, serviceIn } from './ask';
import type { KeysCommand } from './keys-command';
import { tableOf } from './table';

/** As many as the hash has. Nobody guesses it, so it needs no salt and no slow hash. */
const SECRET_BYTES = 32;

interface Key {
  id: string;
  tenant: string;
  principal: string;
  roles: string[];
  expiresAt: string | null;
  revokedAt: string | null;
  lastUsedAt: string | null;
}

interface KeyPage {
  items: Key[];
  next: string | null;
}

/** Answers what is to be printed. @throws OpsError */
export async function runKeys(command: KeysCommand, env: NodeJS.ProcessEnv): Promise<string[]> {
  const services = ownServices.map((name) => serviceIn(env, name));
  switch (command.verb) {
    case 'list':
      return list(services, command.tenant);
    case 'add':
      return add(services, command);
    case 'revoke':
      return revoke(services, command.id, command.tenant);
  }
}

async function list(services: readonly Asked[], tenant?: string): Promise<string[]> {
  const found = await Promise.all(services.map((service) => keysOf(service, tenant)));
  const byId = new Map<string, (Key & { service: string })[]>();
  for (const key of found.flat()) byId.set(key.id, [...(byId.get(key.id) ?? []), key]);
  if (byId.size === 0) return ['There is none.'];
  const rows = [...byId.entries()].sort().map(([id, [key, ...others]]) => {
    const all = [key!, ...others];
    const live = all.filter(({ revokedAt }) => revokedAt === null);
    const used = all.map(({ lastUsedAt }) => lastUsedAt ?? '').sort();
    const services = live.map(({ service }) => service).join(' ');
    return [
      id,
      key!.principal,
      key!.roles.join('+'),
      key!.expiresAt ?? 'never',
      used.at(-1) || 'never',
      services || 'revoked',
    ];
  });
  return tableOf([['ID', 'PRINCIPAL', 'ROLES', 'EXPIRES', 'LAST USED', 'GOOD IN'], ...rows]);
}

async function keysOf(service: Asked, tenant?: string): Promise<(Key & { service: string })[]> {
  const keys: (Key & { service: string })[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const query: URLSearchParams = new URLSearchParams({
      limit: '200',
      ...(tenant && { tenant }),
      ...(cursor && { cursor }),
    });
    const { body } = await ask(service, (api) => api.get<KeyPage>(`/api-keys?${query.toString()}`));
    keys.push(...body.items.map((key) => ({ ...key, service: service.name })));
    cursor = body.next;
  }
  return keys;
}

type Add = Extract<KeysCommand, { verb: 'add' }>;

/** In all services or in none, as far as it can be known. */
async function add(services: readonly Asked[], { id, tenant, principal, roles, expiresAt }: Add): Promise<string[]> {
  // Whoever is away or says no does so before anything is done.
  await Promise.all(services.map((service) => ask(service, (api) => api.get(`/api-keys?limit=1${and(tenant)}`))));
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  const sha256 = createHash('sha256').update(secret).digest('hex');
  const done: Asked[] = [];
  for (const service of services) {
    try {
      await ask(service, (api) => api.put(pathOf(id, tenant), { sha256, principal, roles, expiresAt }));
    } catch (error) {
      if (done.length > 0) throw await undone(done, id, tenant, error as Error);
      throw error;
    }
    done.push(service);
  }
  const names = services.map(({ name }) => name).join(', ');
  return [
    `added: ${id}, for ${principal} with ${roles.join('+')}, in ${names}`,
    `The key, which is shown only now: ${secret}`,
  ];
}

async function undone(done: readonly Asked[], id: string, tenant: string | undefined, why: Error): Promise<OpsError> {
  const names = done.map(({ name }) => name).join(', ');
  const back = await revoke(done, id, tenant).then(
    () => `It was revoked again in ${names}, so use another ID.`,
    () => `It may still be good in ${names}, though nobody has the key: revoke it, and use another ID.`,
  );
  return new OpsError(`${why.message} ${back}`);
}

/** One that does not answer keeps nobody from the others. */
async function revoke(services: readonly Asked[], id: string, tenant?: string): Promise<string[]> {
  const path = pathOf(id, tenant);
  const answers = await Promise.allSettled(
    services.map((service) => ask(service, (api) => api.send('DELETE', path), [204, 404])),
  );
  const done = services.filter((_, index) => isDone(answers[index]!)).map(({ name }) => name);
  const failed = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as Error] : []));
  if (failed.length > 0) {
    const [first] = failed;
    throw done.length > 0
      ? new OpsError(`Revoked in ${done.join(', ')} only, so do it again. ${first!.message}`)
      : first!;
  }
  if (done.length === 0) throw new OpsError(`No service has a key ${id}.`);
  return [`revoked: ${id} in ${done.join(', ')}`];
}

const isDone = (answer: PromiseSettledResult<{ status: number }>): boolean =>
  answer.status === 'fulfilled' && answer.value.status === 204;

const pathOf = (id: string, tenant?: string): string =>
  `/api-keys/${encodeURIComponent(id)}${tenant ? `?tenant=${encodeURIComponent(tenant)}` : ''}`;

const and = (tenant?: string): string => (tenant ? `&tenant=${encodeURIComponent(tenant)}` : '');
