/** Finds out whether a key is that of an operator, by asking the order service for what only operators see. */
import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from '@shop/observability';
import { Problem } from '@shop/problem';
import { LOGGER } from '@shop/service';
import { Upstream } from '../passing/upstream';
import { markOf } from './session';

@Injectable()
export class SignIn {
  constructor(
    private readonly upstream: Upstream,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Whether the operator has the role `platform`, too. @throws Problem 401, 403, 502 or 504 */
  async check(key: string): Promise<boolean> {
    const asOperator = await this.statusOf(key, '/sagas?limit=1');
    if (asOperator !== 200) {
      this.logger.info({ mark: markOf(key), status: asOperator }, 'console.sign-in.refused');
      throw refusal(asOperator);
    }
    const isPlatform = (await this.statusOf(key, '/backfills')) === 200;
    this.logger.info({ mark: markOf(key), isPlatform }, 'console.signed-in');
    return isPlatform;
  }

  private async statusOf(key: string, path: string): Promise<number> {
    const answer = await this.upstream.ask({ service: 'order', method: 'GET', path, key, headers: {} });
    return answer.status;
  }
}

function refusal(status: number): Problem {
  if (status === 401) return new Problem(401, 'unauthenticated', 'nobody here knows this key');
  if (status === 403) return new Problem(403, 'forbidden', 'this key is not one of an operator');
  return new Problem(502, 'order_refuses', `the order service answers ${status}; come again soon`);
}
