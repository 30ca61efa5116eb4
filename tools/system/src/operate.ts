/** Carries out what `npm run saga` was asked for, through the API of the order service; answers what to print. */
import { randomUUID } from 'node:crypto';
import type { ApiClient, ApiResponse } from './api-client';
import { type SagaCommand, usage } from './saga-command';
import { type SagaDetails, type SagaLine, storyOf, tableOf } from './saga-report';

/** As many as one page of the API may hold. */
const MAX_LISTED = 200;

/** Thrown when the service says no, or nothing; its message is for the operator. */
export class OperateError extends Error {}

interface Refusal {
  code?: string;
  detail?: string;
}

/** @throws OperateError */
export async function operate(command: SagaCommand, api: Pick<ApiClient, 'get' | 'post'>): Promise<string[]> {
  switch (command.name) {
    case 'help':
      return usage.split('\n');
    case 'list': {
      const status = command.status ? `&status=${command.status}` : '';
      const page = await asked(
        api.get<{ items: SagaLine[]; next: string | null }>(`/sagas?limit=${MAX_LISTED}${status}`),
      );
      return tableOf(page.items, page.next !== null);
    }
    case 'show':
      return storyOf(await asked(api.get<SagaDetails>(pathOf(command.id))));
    default: {
      const { name: act, id, reason } = command;
      return storyOf(await asked(api.post<SagaDetails>(`${pathOf(id)}/acts`, { act, reason }, randomUUID())));
    }
  }
}

const pathOf = (id: string): string => `/sagas/${encodeURIComponent(id)}`;

async function asked<Body>(response: Promise<ApiResponse<Body>>): Promise<Body> {
  const { status, body } = await response.catch((error: Error) => {
    const why = (error.cause as Error | undefined)?.message ?? error.message;
    throw new OperateError(`The order service did not answer (${why}); is ORDER_URL right, and what does show say?`);
  });
  if (status < 300) return body;
  const { code, detail } = body as Refusal;
  throw new OperateError(`The order service says no: ${detail ?? `status ${status}`}${code ? ` (${code})` : ''}.`);
}
