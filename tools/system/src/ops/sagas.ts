/** Carries out `npm run ops -- sagas …` through the API of the order service; answers what to print. */
import { randomUUID } from 'node:crypto';
import { ask, type Asked, OpsError, serviceIn } from './ask';
import type { SagaCommand } from './command-line';
import { groupsOf, listOf, type SagaDetails, type SagaGroup, type SagaLine, storyOf } from './saga-report';

/** As many as one page of the API may hold. */
const MAX_LISTED = 200;

interface FoundSagas {
  items: SagaLine[];
  next: string | null;
  degraded: string[];
}

/** @throws OpsError */
export async function runSagas({ verb, id, option }: SagaCommand, env: NodeJS.ProcessEnv): Promise<string[]> {
  const order = serviceIn(env, 'order');
  switch (verb) {
    case 'list': {
      const path = `/sagas?limit=${MAX_LISTED}${option ? `&status=${option}` : ''}`;
      const { body } = await ask(order, (api) => api.get<{ items: SagaLine[]; next: string | null }>(path));
      return listOf(body.items, body.next !== null);
    }
    case 'find': {
      const path = `/sagas?limit=${MAX_LISTED}&q=${encodeURIComponent(id)}`;
      const { body } = await ask(order, (api) => api.get<FoundSagas>(path));
      const missing = body.degraded.map((where) => `Not looked at: ${where}. There may be more.`);
      return [...listOf(body.items, body.next !== null), ...missing];
    }
    case 'groups': {
      const { body } = await ask(order, (api) => api.get<{ groups: SagaGroup[] }>('/sagas/groups'));
      return groupsOf(body.groups);
    }
    case 'show':
      return show(order, id);
    default: {
      const act = { act: verb, reason: option };
      const path = `/sagas/${encodeURIComponent(id)}/acts`;
      return storyOf((await ask(order, (api) => api.post<SagaDetails>(path, act, randomUUID()))).body);
    }
  }
}

/**
 * By the id of a saga or of an order. The saga that places an order has the order's id, unless the client chose that one;
 * then the order knows more than the saga: which saga cancels it.
 */
async function show(order: Asked, id: string): Promise<string[]> {
  const [saga, story] = await Promise.all(
    [`/sagas/${encodeURIComponent(id)}`, `/orders/${encodeURIComponent(id)}/saga`].map((path) =>
      ask(order, (api) => api.get<SagaDetails & { cancelledBy?: SagaDetails }>(path), [200, 404]),
    ),
  );
  if (story!.status === 200 && (saga!.status === 404 || saga!.body.id === story!.body.id)) {
    const { cancelledBy, ...placing } = story!.body;
    return cancelledBy ? [...storyOf(placing), '', ...storyOf(cancelledBy)] : storyOf(placing);
  }
  if (saga!.status === 200) return storyOf(saga!.body);
  throw new OpsError(`There is no saga and no order ${id}.`);
}
